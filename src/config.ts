import { resolve } from 'node:path'
import { z } from 'zod'
import type { Fixtures, Migrate } from './baseline/load.ts'
import type { Detector } from './engine/engine.ts'
import { AfreshError } from './errors.ts'
import type { SequenceMode, Strategy } from './plan/plan.ts'
import type { ResetOptions } from './reset/session.ts'
import { parseServer, type ServerSpec } from './server/server.ts'

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
   * How dirty tables are found: `wal` (PostgreSQL 16 and later), `counters` (MySQL, MariaDB), `scan`. Default `auto`:
   * each time the one that is possible and cheaper; with strategy `rollback` it is `scan`. `createHarness` and `attach`
   * refuse one that is not to be had.
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
  /** Part of the names of the databases. Default: the name in package.json, or of the folder. */
  readonly project?: string
  /** Where relative paths begin. Default: the current folder. */
  readonly cwd?: string
  /**
   * What becomes of a test that is over and still has a transaction or a statement open, or holds an advisory lock:
   * `fail`: it fails, naming what. `end`: its sessions are ended, too. `ignore`: nobody looks, as with strategy
   * `rollback`, which has a transaction open itself. Default `fail`.
   */
  readonly leaks?: 'fail' | 'end' | 'ignore'
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
}

export interface Config {
  readonly server: ServerSpec | undefined
  readonly migrate: Migrate | undefined
  readonly fixtures: Fixtures | undefined
  readonly fingerprint: string | undefined
  readonly project: string | undefined
  readonly cwd: string
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

const steps = z.union(
  [
    z.string().min(1),
    z.array(z.string().min(1)),
    z.strictObject({ command: z.string().min(1) }),
    z.custom<() => void>((value) => typeof value === 'function'),
  ],
  { error: 'expected a function, a path or glob, a list of them, or { command }' },
)

const attachShape = {
  strategy: z.enum(['delete', 'truncate', 'auto', 'rollback']).optional(),
  sequences: z.enum(['restart', 'keep', 'spread']).optional(),
  keep: z.array(z.string().min(1)).optional(),
  lockTimeoutMs: z.number().int().positive().max(600_000).optional(),
  detector: z.enum(['auto', 'wal', 'counters', 'scan']).optional(),
  crossCheck: z.boolean().optional(),
  allow: z.array(z.string().regex(/^.+:\d+#.+$/, 'expected host:port#system_identifier')).optional(),
}

const harnessSchema = z.strictObject({
  ...attachShape,
  server: z
    .union([z.string().min(1), z.looseObject({ kind: z.enum(['container', 'embedded', 'existing']) })], {
      error:
        "expected container(…), embedded(), existing(url), an image such as 'postgres:18', 'embedded' or a URL",
    })
    .optional(),
  migrate: steps.optional(),
  fixtures: steps.optional(),
  fingerprint: z.string().min(1).optional(),
  project: z.string().min(1).optional(),
  cwd: z.string().min(1).optional(),
  leaks: z.enum(['fail', 'end', 'ignore']).optional(),
  writes: z.union([z.boolean(), z.string().min(1)]).optional(),
})

const attachSchema = z.strictObject({ ...attachShape, confirm: z.string().min(1).optional() })

/** Throws `AfreshError` (`usage`) that lists every problem of the options at once. */
export function parseHarnessOptions(options: HarnessOptions): Config {
  check(harnessSchema, options, 'createHarness')
  const { cwd = process.cwd(), leaks = 'fail', writes = false } = options
  const to = typeof writes === 'string' ? resolve(cwd, writes) : undefined
  return {
    server: options.server === undefined ? undefined : parseServer(options.server),
    migrate: options.migrate,
    fixtures: options.fixtures,
    fingerprint: options.fingerprint,
    project: options.project,
    cwd,
    reset: resetOptions(options),
    rollback: options.strategy === 'rollback',
    allow: options.allow ?? [],
    tests: {
      leaks: options.strategy === 'rollback' ? 'ignore' : leaks,
      writes: writes === false ? undefined : { to },
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

function check(schema: z.ZodType, options: unknown, where: string): void {
  const result = schema.safeParse(options)
  if (result.success) return
  const problems = result.error.issues.map(
    ({ path, message }) => `  - ${path.join('.') || 'options'}: ${message}`,
  )
  throw new AfreshError('usage', `The options of ${where} cannot be used:\n${problems.join('\n')}`, {
    next: 'Correct them; README.md lists every option.',
  })
}
