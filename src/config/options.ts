import { resolve } from 'node:path'
import type { Fixtures, Migrate } from '../baseline/load.ts'
import { URL_PARTS, type VariableMapping } from '../engine/environment.ts'
import type { Detector } from '../engine/resetter.ts'
import { AfreshError } from '../errors.ts'
import type { SequenceMode, Strategy } from '../plan/plan.ts'
import type { ResetOptions } from '../reset/options.ts'
import { parseServer, type ServerSpec } from '../server/server.ts'
import * as z from '../util/validation.ts'

/** How rows go away, what becomes of sequences, and what is left alone. */
export interface AttachOptions {
  /**
   * `delete`, `truncate`, or `auto`: per table, by its size. `rollback`: a transaction around each test, on a client
   * that `TestDatabase.begin` is given; what escapes it is put right as with `auto`. Default `auto`.
   */
  readonly strategy?: Strategy | 'rollback'
  /**
   * `restart`: to the baseline's position. `keep`: left alone. `spread`: each in a range of its own, so that a
   * test that mixes up the ids of two tables fails. Default `restart`.
   */
  readonly sequences?: SequenceMode
  /** Names or globs of tables that no reset touches: `['audit_log', 'reporting.*']`. */
  readonly keep?: readonly string[]
  /** Milliseconds to wait for another session's lock before a reset fails and names it. Default 2,500. */
  readonly lockTimeoutMs?: number
  /**
   * How dirty tables are found: `wal` (PostgreSQL 16 and later), `counters` (MySQL, MariaDB, SQLite), `scan`. Default `auto`:
   * each time the one that is possible and cheaper; with strategy `rollback` it is `scan`. `createHarness` and `attach`
   * refuse one that is unavailable.
   */
  readonly detector?: Detector | 'auto'
  /**
   * Hold the detector against a scan before each reset, and fail on any table that it missed: slow, to be sure of
   * it once. Default `false`, or `true` with `AFRESH_CROSS_CHECK=1` in the environment.
   */
  readonly crossCheck?: boolean
  /** Servers that are not on this machine and there for tests only: `host:port#system_identifier`. */
  readonly allow?: readonly string[]
}

export interface HarnessOptions extends AttachOptions {
  /**
   * `container(…)`, `embedded()`, `existing(url)`, or as a string an image (`postgres:18`), `embedded` or a URL.
   * Default: the best server at hand.
   */
  readonly server?: string | ServerSpec
  /** A function, SQL files, a folder of them, or a shell command that gets `DATABASE_URL`. */
  readonly migrate?: Migrate
  /** Rows that every test begins with: the same ways. */
  readonly fixtures?: Fixtures
  /**
   * Changes whenever a migration function or command would do something else: with it the template is kept
   * between runs, as it is for SQL files anyway.
   */
  readonly fingerprint?: string
  /**
   * Variables of the environment that your code reads, and the part of the database's URL that each is to have: `{ DB_NAME:
   * 'database', DB_HOST: 'host', APP_DATABASE_URL: 'url' }`. Set before your code is loaded, and for migration commands,
   * beside `DATABASE_URL`, `PGHOST`, `PGDATABASE` …, `MYSQL_HOST`, `MYSQL_DATABASE` …
   */
  readonly env?: VariableMapping
  /** Part of the names of the databases. Default: the name in package.json, or of the folder. */
  readonly project?: string
  /** Where relative paths begin. Default: the current folder. */
  readonly cwd?: string
  /**
   * What becomes of a test that is over and still has a transaction or a statement open, or holds an advisory lock:
   * `fail`: it fails, naming what; its sessions are ended before the next reset. `end`: they are ended at once. `ignore`: nobody looks, as with strategy
   * `rollback`, which has a transaction open itself. Default `fail`.
   */
  readonly leaks?: 'fail' | 'end' | 'ignore'
  /**
   * What becomes of a test whose process has used another database than the test's, or whose `DATABASE_URL` leads elsewhere:
   * `fail`, `warn` (a line on standard error), `ignore`; or the names of those that it may use, besides which it fails.
   * Default `fail`.
   */
  readonly otherDatabases?: 'fail' | 'warn' | 'ignore' | readonly string[]
  /**
   * Look which tables each test wrote, and how many rows: for the reporter `afresh/vitest/reporter` (`true`), or for a
   * file to which every test adds a line of JSON (its path). The database is reset after each test as well then.
   * Default `false`.
   */
  readonly writes?: boolean | string
}

/** What a runner looks at when a test is over. */
export interface TestOptions {
  readonly leaks: 'fail' | 'end' | 'ignore'
  /** `to`: an absolute path. `undefined`: nobody looks. */
  readonly writes: { readonly to: string | undefined } | undefined
  readonly otherDatabases: 'fail' | 'warn' | 'ignore' | readonly string[]
  /** Variables of the configuration that lead to the test's database, too. */
  readonly env: VariableMapping
}

export interface Config {
  readonly server: ServerSpec | undefined
  readonly migrate: Migrate | undefined
  readonly fixtures: Fixtures | undefined
  readonly fingerprint: string | undefined
  readonly project: string | undefined
  readonly cwd: string
  readonly env: VariableMapping
  readonly reset: ResetOptions
  /** Whether strategy `rollback` was asked for. */
  readonly rollback: boolean
  readonly allow: readonly string[]
  readonly tests: TestOptions
}

/** Gives an `afresh.config.ts` its types. */
export function defineConfig(options: HarnessOptions): HarnessOptions {
  return options
}

/** Not empty. */
const text = z.string().check(z.minLength(1))

const steps = z.union(
  [
    text,
    z.array(text),
    z.strictObject({ command: text }),
    z.custom<() => void>((value) => typeof value === 'function'),
  ],
  { error: 'expected a function, a path or glob, a list of them, or { command }' },
)

const attachShape = {
  strategy: z.optional(z.enum(['delete', 'truncate', 'auto', 'rollback'])),
  sequences: z.optional(z.enum(['restart', 'keep', 'spread'])),
  keep: z.optional(z.array(text)),
  lockTimeoutMs: z.optional(z.int().check(z.positive(), z.maximum(600_000))),
  detector: z.optional(z.enum(['auto', 'wal', 'counters', 'scan'])),
  crossCheck: z.optional(z.boolean()),
  allow: z.optional(
    z.array(z.string().check(z.regex(/^.+:\d+#.+$/, 'expected host:port#system_identifier'))),
  ),
}

const harnessSchema = z.strictObject({
  ...attachShape,
  server: z.optional(
    z.union([text, z.looseObject({ kind: z.enum(['container', 'embedded', 'existing']) })], {
      error:
        "expected container(…), embedded(), existing(url), an image such as 'postgres:18', 'embedded' or a URL",
    }),
  ),
  migrate: z.optional(steps),
  fixtures: z.optional(steps),
  fingerprint: z.optional(text),
  env: z.optional(
    z.record(
      z.string().check(z.regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable')),
      z.enum(URL_PARTS),
    ),
  ),
  project: z.optional(text),
  cwd: z.optional(text),
  leaks: z.optional(z.enum(['fail', 'end', 'ignore'])),
  otherDatabases: z.optional(
    z.union([z.enum(['fail', 'warn', 'ignore']), z.array(text)], {
      error: "expected 'fail', 'warn', 'ignore' or a list of names of databases",
    }),
  ),
  writes: z.optional(z.union([z.boolean(), text])),
})

const attachSchema = z.strictObject({ ...attachShape, confirm: z.optional(text) })

/** Throws `AfreshError` (`usage`) that lists every problem of the options at once. */
export function parseHarnessOptions(options: HarnessOptions): Config {
  check(harnessSchema, options, 'createHarness')
  const { cwd = process.cwd(), leaks = 'fail', writes = false, env = {}, otherDatabases = 'fail' } = options
  const to = typeof writes === 'string' ? resolve(cwd, writes) : undefined
  return {
    server: options.server === undefined ? undefined : parseServer(options.server),
    migrate: options.migrate,
    fixtures: options.fixtures,
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
    },
  }
}

/** Throws `AfreshError` (`usage`) that lists every problem of the options at once. */
export function parseAttachOptions(options: AttachOptions): {
  reset: ResetOptions
  rollback: boolean
  allow: readonly string[]
} {
  check(attachSchema, options, 'attach')
  const rollback = options.strategy === 'rollback'
  return { reset: resetOptions(options), rollback, allow: options.allow ?? [] }
}

export const DEFAULT_LOCK_TIMEOUT_MS = 2500

function resetOptions(options: AttachOptions): ResetOptions {
  return {
    // What a rollback leaves is for a reset of the ordinary kind.
    strategy: options.strategy === undefined || options.strategy === 'rollback' ? 'auto' : options.strategy,
    sequences: options.sequences ?? 'restart',
    keep: options.keep ?? [],
    // Journal and counters name what was rolled back as well; only the tables tell what escaped.
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
