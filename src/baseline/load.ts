/**
 * In: a connection, and the migrations and fixtures of a configuration.
 * Out: a database with both, or a hash of what they are.
 * Called by `harness/`, to build a template and to name it.
 */
import { variablesOf } from '../engine/clients.ts'
import type { Connection, ScriptRun } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { masked, maskedError, type VariableMapping } from '../engine/environment.ts'
import { AfreshError, messageOf, withCleanUp } from '../errors.ts'
import { noProgress, type Progress } from '../util/progress.ts'
import { tookTooLong, withTimeout } from '../util/with-timeout.ts'
import { runCommand } from './command.ts'
import { hashOf, type InputFile } from './files.ts'
import { type Fixtures, type Input, type InputName, type Migrate, resolveInput } from './inputs.ts'
import type { RowTarget } from './rows/load-rows.ts'
import { runFiles } from './run-files.ts'

export type { Command, FixtureSets, Fixtures, Migrate, MigrateContext } from './inputs.ts'

export interface BaselineOptions {
  readonly engine: Pick<Engine, 'introspect' | 'bulkInsert'>
  readonly migrate?: Migrate | undefined
  readonly fixtures?: Fixtures | undefined
  /** Paths are relative to this folder, and commands run in it. */
  readonly cwd: string
  /** Milliseconds that a function or command may take. Default 300,000. */
  readonly timeoutMs?: number | undefined
  /** Variables for commands, besides those that the engine's own clients read. */
  readonly env?: VariableMapping | undefined
  /** Called if a function or command gets the URL's own user, since no account could be restricted to the database. */
  readonly onUnconfined?: (() => void) | undefined
  /** Counts the objects in the database, to detect a migration that ran against another database. */
  readonly countObjects?: ((connection: Connection) => Promise<number>) | undefined
  /** Called before each file, function and command. */
  readonly progress?: Progress | undefined
  /** The labels of the first migration files, which the database contains already. Default: none. */
  readonly applied?: readonly string[] | undefined
}

/** What a baseline is made of, for its fingerprint. */
export interface BaselineInputs {
  /** They change when a file is changed, added or renamed: a fingerprint of the user, migrations, fixtures. */
  readonly parts: readonly string[]
  /** Whether nothing else affects the baseline. */
  readonly cacheable: boolean
  /** The files of migrations, in order; empty if migrations are a function or a command. */
  readonly migrations: readonly {
    readonly label: string
    /** How many of `parts` lead to and describe this file. */
    readonly parts: number
  }[]
}

const DEFAULT_TIMEOUT_MS = 300_000

/**
 * Brings a database to its baseline: first the migrations, then the fixtures. The database is empty, or has the
 * first `applied` migration files.
 *
 * @throws AfreshError `usage` for an invalid input, before anything runs; `baseline` for an input that fails
 */
export async function applyBaseline(connection: Connection, options: BaselineOptions): Promise<void> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, progress = noProgress } = options
  const inputs = await resolveInputs(options.migrate, options.fixtures, options.cwd)
  const scripts = connection.scripts?.()
  await withCleanUp(
    async () => {
      for (const { name, input } of inputs) {
        if (input.kind === 'files') {
          const rows = () => rowTarget(connection, scripts, options.engine)
          const applied = name === 'migrate' ? (options.applied ?? []) : []
          refuseChanged(applied, input.files)
          const done = applied.length
          await runFiles({ scripts: scripts ?? connection, rows, progress, done }, name, input.files)
        } else {
          progress({ phase: name, ...(input.kind === 'command' && { label: masked(input.command) }) })
          const before = await options.countObjects?.(connection)
          const confined = await scripts?.url?.()
          if (scripts?.url !== undefined && confined === undefined) options.onUnconfined?.()
          const url = confined ?? connection.url
          await runWithUrl({ url, database: connection.database }, name, input, { ...options, timeoutMs })
          if (
            name === 'migrate' &&
            before !== undefined &&
            (await options.countObjects?.(connection)) === before
          ) {
            throw nothingCame(connection, input)
          }
        }
      }
    },
    async () => scripts?.end(),
  )
}

/** Between the look at the files and this one, a run may have waited for an image or for another run. */
function refuseChanged(applied: readonly string[], files: readonly InputFile[]): void {
  if (applied.every((label, index) => files[index]?.label === label)) return
  throw new AfreshError('baseline', 'The list of migration files has changed since the run began.', {
    next: 'Run the tests again.',
  })
}

/**
 * Reads the files. The effects of a function or command are unknown, so with one the user's own `fingerprint`
 * has to change.
 *
 * @throws AfreshError `usage` for an input that does not exist
 */
export async function describeInputs(
  migrate: Migrate | undefined,
  fixtures: Fixtures | undefined,
  cwd: string,
  fingerprint?: string,
): Promise<BaselineInputs> {
  const inputs = await resolveInputs(migrate, fixtures, cwd)
  const parts: string[] = fingerprint === undefined ? [] : [`fingerprint ${fingerprint}`]
  const migrations: { label: string; parts: number }[] = []
  for (const { name, input } of inputs) {
    if (input.kind === 'function') parts.push(`${name} function`)
    else if (input.kind === 'command') {
      parts.push(`${name} command ${input.command}`)
      for (const file of input.inputs ?? []) parts.push(`${name} input ${file.label} ${await hashOf(file)}`)
    } else {
      for (const file of input.files) {
        parts.push(`${name} file ${file.label} ${await hashOf(file)}`)
        if (name === 'migrate') migrations.push({ label: file.label, parts: parts.length })
      }
    }
  }
  const known = inputs.every(
    ({ input }) => input.kind === 'files' || (input.kind === 'command' && input.inputs !== undefined),
  )
  return { parts, cacheable: known || fingerprint !== undefined, migrations }
}

async function resolveInputs(
  migrate: Migrate | undefined,
  fixtures: Fixtures | undefined,
  cwd: string,
): Promise<{ name: InputName; input: Input }[]> {
  const given = [
    { name: 'migrate' as const, value: migrate },
    { name: 'fixtures' as const, value: fixtures },
  ]
  const inputs: { name: InputName; input: Input }[] = []
  for (const { name, value } of given) {
    if (value !== undefined) inputs.push({ name, input: await resolveInput(name, value, cwd) })
  }
  return inputs
}

/** Rows are inserted as restricted as SQL files are: a migration may have created triggers. */
async function rowTarget(
  own: Connection,
  scripts: ScriptRun | undefined,
  engine: BaselineOptions['engine'],
): Promise<RowTarget> {
  const connection = (await scripts?.connection?.()) ?? own
  return { engine, connection, schema: await engine.introspect(connection) }
}

async function runWithUrl(
  { url, database }: Pick<Connection, 'url' | 'database'>,
  name: InputName,
  input: Exclude<Input, { kind: 'files' }>,
  { cwd, timeoutMs, env }: BaselineOptions & { readonly timeoutMs: number },
): Promise<void> {
  if (url === undefined) {
    throw new AfreshError('usage', `${name}: a ${input.kind} needs a URL, and an open client has none.`, {
      next: 'Run it before the client is handed over, or use .sql files.',
    })
  }
  if (input.kind === 'command') {
    await runCommand(input.command, { cwd, env: variablesOf(url, 'command', env), timeoutMs })
    return
  }
  try {
    // The function cannot be stopped, but the run stops waiting for it.
    await withTimeout(Promise.resolve(input.run({ url, database })), timeoutMs, tookTooLong('it', timeoutMs))
  } catch (error) {
    throw new AfreshError('baseline', `The ${name} function failed: ${masked(messageOf(error), url)}`, {
      next: 'Correct the function; the database that it filled is dropped.',
      cause: maskedError(error, url),
    })
  }
}

/** Files run on afresh's own connection; only functions and commands can write elsewhere. */
function nothingCame({ database }: Connection, input: Exclude<Input, { kind: 'files' }>): AfreshError {
  const what = input.kind === 'command' ? `The command «${input.command}»` : 'The function'
  const reads =
    input.kind === 'command'
      ? 'from DATABASE_URL or the variables of its engine (PGHOST and PGDATABASE, MYSQL_HOST and MYSQL_DATABASE …); name others under `env`, ' +
        "such as env: { DB_NAME: 'database' }, and check whether a file such as .env overrides them"
      : 'from its argument: migrate: async ({ url }) => { … }'
  return new AfreshError(
    'baseline',
    `migrate: ${what} succeeded, but it created nothing: the database "${database}" is as empty as before. It probably ran against another database.`,
    { next: `Make it read its database ${reads}. Omit \`migrate\` if you want an empty database.` },
  )
}
