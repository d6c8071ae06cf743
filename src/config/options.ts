import { resolve } from 'node:path'
import type { FixtureSets, Fixtures, Migrate } from '../baseline/load.ts'
import type { VariableMapping } from '../engine/environment.ts'
import type { Detector } from '../engine/resetter.ts'
import { AfreshError } from '../errors.ts'
import type { SequenceMode, Strategy } from '../plan/plan.ts'
import type { ResetOptions } from '../reset/options.ts'
import { parseServer, type ServerSpec } from '../server/server.ts'
import { noProgress, type Progress, type ProgressEvent } from '../util/progress.ts'
import type * as z from '../util/validation.ts'
import { attachSchema, harnessSchema } from './option-schema.ts'

/** How a reset removes rows, what happens to sequences, and which tables it leaves alone. */
export interface AttachOptions {
  /**
   * How rows are removed. `delete`; `truncate`; `auto`: per table, by its size. `rollback`: a transaction
   * around each test on a client passed to `TestDatabase.begin`; writes outside it are reset as with `auto`.
   * Default `auto`.
   */
  readonly strategy?: Strategy | 'rollback'
  /**
   * What happens to sequences and AUTO_INCREMENT counters. `restart`: back to the baseline's position.
   * `keep`: unchanged. `spread`: each in a range of its own, so that a test that confuses the ids of two
   * tables fails. Default `restart`.
   */
  readonly sequences?: SequenceMode
  /** Names or globs of tables that no reset touches: `['audit_log', 'reporting.*']`. */
  readonly keep?: readonly string[]
  /** Milliseconds to wait for another session's lock; then the reset fails and names it. Default 2,500. */
  readonly lockTimeoutMs?: number
  /**
   * How dirty tables are found: `wal` (PostgreSQL 16 and later), `counters` (MySQL, MariaDB, SQLite) or
   * `scan`. `auto` picks the available and cheaper one for each reset. Default `auto`, or `scan` with
   * strategy `rollback`. `createHarness` and `attach` reject an unavailable detector.
   */
  readonly detector?: Detector | 'auto'
  /**
   * Compare the detector with a scan before each reset, and fail if the detector missed a table. Slow.
   * Default `false`, or `true` with `AFRESH_CROSS_CHECK=1` in the environment.
   */
  readonly crossCheck?: boolean
  /** Servers on other machines that exist for tests only: `host:port#system_identifier`. Default none. */
  readonly allow?: readonly string[]
  /**
   * Rows that only some tests need: files, a folder, a glob or a list, by the name for `TestDatabase.load`.
   * Default none.
   */
  readonly fixtureSets?: FixtureSets
}

export interface HarnessOptions extends AttachOptions {
  /**
   * `container(…)`, `embedded()`, `existing(url)`, or a string: an image (`postgres:18`), `embedded` or a
   * URL. Default: a container if a container engine answers, otherwise the embedded server.
   */
  readonly server?: string | ServerSpec
  /** Creates the tables: a function, SQL files, a folder, or a shell command that gets `DATABASE_URL`. */
  readonly migrate?: Migrate
  /**
   * The rows that every test starts with. Takes the same forms as `migrate`, and `.csv`, `.json` and `.yaml`
   * files; runs after it.
   */
  readonly fixtures?: Fixtures
  /**
   * Any text that changes when a migration function or command would produce something else. With it, afresh
   * keeps the template between runs, as it always does for SQL files.
   */
  readonly fingerprint?: string
  /**
   * Further environment variables that your code reads, each with the part of the database URL that it gets:
   * `{ DB_NAME: 'database', DB_HOST: 'host', APP_DATABASE_URL: 'url' }`. afresh sets them before your code is
   * loaded and for migration commands, in addition to `DATABASE_URL`, `PGHOST`, `PGDATABASE` …, `MYSQL_HOST`,
   * `MYSQL_DATABASE` …
   */
  readonly env?: VariableMapping
  /** Part of the database names. Default: the name in package.json, or of the folder. */
  readonly project?: string
  /** The folder against which relative paths are resolved. Default: the current folder. */
  readonly cwd?: string
  /**
   * What happens if a test is over and still has a transaction or a statement open, or holds an advisory
   * lock. `fail`: the test fails, the error names what is open, and its sessions end before the next reset.
   * `end`: the test fails, and its sessions end at once. `ignore`: no check; always so with strategy
   * `rollback`, which has a transaction open itself. Default `fail`.
   */
  readonly leaks?: 'fail' | 'end' | 'ignore'
  /**
   * What happens if the process of a test uses a database other than its own, or its `DATABASE_URL` points to
   * one: `fail` (the test fails), `warn` (a line on standard error) or `ignore`. A list names the databases
   * that are allowed; any other fails the test. Default `fail`.
   */
  readonly otherDatabases?: 'fail' | 'warn' | 'ignore' | readonly string[]
  /**
   * Report which tables each test wrote, and how many rows. `true`: for the reporter
   * `afresh/vitest/reporter`. A path: a file to which every test adds a line of JSON. The database is then
   * also reset after each test. Default `false`.
   */
  readonly writes?: boolean | string
  /**
   * How many copies of databases of failed tests afresh keeps for you to look into: those of the first tests that
   * fail in a run. It prints how to open each. `0`: none. A server that would end with the run stays with them for
   * an hour, or until the next run of the project that keeps one, or until `afresh clean`. Only in runners, and not
   * with strategy `rollback`. Default 3 in a terminal, otherwise (CI) 0.
   */
  readonly keepFailed?: number
  /**
   * What afresh reports of a slow start. The runners and the command line print a line about it, after a
   * second, and a summary at the end of the run. A function gets the events instead of the line, at once.
   * `false`: neither line nor summary. `createHarness` itself prints nothing.
   */
  readonly progress?: false | ((event: ProgressEvent) => void)
}

/** What a runner checks after each test. */
export interface TestOptions {
  readonly leaks: 'fail' | 'end' | 'ignore'
  /** `undefined`: writes are not reported. `to`: an absolute path, or `undefined` for the reporter alone. */
  readonly writes: { readonly to: string | undefined } | undefined
  readonly otherDatabases: 'fail' | 'warn' | 'ignore' | readonly string[]
  /** Number of databases of failed tests that stay. */
  readonly keepFailed: number
  /** Further variables of the configuration that must point to the test's database. */
  readonly env: VariableMapping
}

export interface Config {
  readonly server: ServerSpec | undefined
  readonly migrate: Migrate | undefined
  readonly fixtures: Fixtures | undefined
  readonly fixtureSets: FixtureSets
  readonly fingerprint: string | undefined
  readonly project: string | undefined
  readonly cwd: string
  readonly env: VariableMapping
  readonly reset: ResetOptions
  /** Whether the configuration selects strategy `rollback`. */
  readonly rollback: boolean
  readonly allow: readonly string[]
  readonly tests: TestOptions
  readonly progress: Progress
}

/** Returns its argument; gives `afresh.config.ts` its types. */
export function defineConfig(options: HarnessOptions): HarnessOptions {
  return options
}

/** @throws AfreshError `usage`, listing all invalid options at once */
export function parseHarnessOptions(options: HarnessOptions): Config {
  check(harnessSchema, options, 'createHarness')
  const { cwd = process.cwd(), leaks = 'fail', writes = false, env = {}, otherDatabases = 'fail' } = options
  const to = typeof writes === 'string' ? resolve(cwd, writes) : undefined
  return {
    server: options.server === undefined ? undefined : parseServer(options.server),
    migrate: options.migrate,
    fixtures: options.fixtures,
    fixtureSets: options.fixtureSets ?? {},
    fingerprint: options.fingerprint,
    project: options.project,
    cwd,
    env,
    reset: resetOptions(options),
    rollback: options.strategy === 'rollback',
    allow: options.allow ?? [],
    tests: {
      leaks: options.strategy === 'rollback' ? 'ignore' : leaks,
      writes: writes === false ? undefined : { to },
      env,
      otherDatabases,
      keepFailed: options.strategy === 'rollback' ? 0 : (options.keepFailed ?? 0),
    },
    progress: options.progress || noProgress,
  }
}

export interface ParsedAttachOptions extends Pick<Config, 'reset' | 'rollback' | 'allow'> {
  /** Paths are relative to the current folder. */
  readonly fixtures: { readonly cwd: string; readonly sets: FixtureSets }
}

/** @throws AfreshError `usage`, listing all invalid options at once */
export function parseAttachOptions(options: AttachOptions): ParsedAttachOptions {
  check(attachSchema, options, 'attach')
  const rollback = options.strategy === 'rollback'
  const fixtures = { cwd: process.cwd(), sets: options.fixtureSets ?? {} }
  return { reset: resetOptions(options), rollback, allow: options.allow ?? [], fixtures }
}

export const DEFAULT_LOCK_TIMEOUT_MS = 2500

function resetOptions(options: AttachOptions): ResetOptions {
  return {
    // What escapes a rollback is reset with `auto`.
    strategy: options.strategy === undefined || options.strategy === 'rollback' ? 'auto' : options.strategy,
    sequences: options.sequences ?? 'restart',
    keep: options.keep ?? [],
    // WAL and counters also report what was rolled back; only a scan finds exactly what escaped.
    detector: options.detector ?? (options.strategy === 'rollback' ? 'scan' : 'auto'),
    crossCheck: options.crossCheck ?? process.env.AFRESH_CROSS_CHECK === '1',
    lockTimeoutMs: options.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS,
  }
}

function check(schema: z.ZodMiniType, options: unknown, where: string): void {
  const result = schema.safeParse(options)
  if (result.success) return
  const problems = result.error.issues.map(
    ({ path, message }) => `  - ${path.join('.') || 'options'}: ${message}`,
  )
  throw new AfreshError('usage', `The options of ${where} cannot be used:\n${problems.join('\n')}`, {
    next: 'Correct them; docs/configuration.md lists every option.',
  })
}
