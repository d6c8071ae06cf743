import type { Connection } from '../engine/engine.ts'
import { AfreshError, messageOf } from '../errors.ts'
import { runCommand } from './command.ts'
import { hashOf, readSql, type SqlFile, withoutUndoSection } from './files.ts'
import { type Fixtures, type Input, type InputName, type Migrate, resolveInput } from './inputs.ts'

export type { Command, Fixtures, Migrate, MigrateContext } from './inputs.ts'

export interface BaselineOptions {
  readonly migrate?: Migrate | undefined
  readonly fixtures?: Fixtures | undefined
  /** Paths are relative to it, and commands run in it. */
  readonly cwd: string
  /** Milliseconds that a function or command may take. Default 300,000. */
  readonly timeoutMs?: number | undefined
}

const DEFAULT_TIMEOUT_MS = 300_000

/**
 * Brings an empty database to its baseline: first the migrations, then the fixtures.
 * Throws `AfreshError`: `usage` for an input that is nothing, before anything has run; `baseline` for one that fails.
 */
export async function applyBaseline(connection: Connection, options: BaselineOptions): Promise<void> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  for (const { name, input } of await resolveInputs(options.migrate, options.fixtures, options.cwd)) {
    if (input.kind === 'files') {
      for (const file of input.files) await runFile(connection, name, file)
    } else {
      await runWithUrl(connection, name, input, options.cwd, timeoutMs)
    }
  }
}

/**
 * What the baseline is made from, for its fingerprint: it changes when a file is changed, added or renamed.
 * `cacheable`: nothing else goes into the baseline. What a function or command does cannot be known, so
 * then it is `fingerprint`, the user's own word for it, that has to change.
 */
export async function describeInputs(
  migrate: Migrate | undefined,
  fixtures: Fixtures | undefined,
  cwd: string,
  fingerprint?: string,
): Promise<{ parts: string[]; cacheable: boolean }> {
  const inputs = await resolveInputs(migrate, fixtures, cwd)
  const parts: string[] = fingerprint === undefined ? [] : [`fingerprint ${fingerprint}`]
  for (const { name, input } of inputs) {
    if (input.kind === 'function') parts.push(`${name} function`)
    else if (input.kind === 'command') parts.push(`${name} command ${input.command}`)
    else for (const file of input.files) parts.push(`${name} file ${file.label} ${await hashOf(file)}`)
  }
  const known = inputs.every(({ input }) => input.kind === 'files')
  return { parts, cacheable: known || fingerprint !== undefined }
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

async function runFile(connection: Connection, name: InputName, file: SqlFile): Promise<void> {
  try {
    const sql = await readSql(file)
    await connection.script(name === 'migrate' ? withoutUndoSection(sql) : sql, file.label)
  } catch (error) {
    if (error instanceof AfreshError && error.message.includes(file.label)) throw error
    throw new AfreshError('baseline', `${name}: ${file.label} could not be loaded: ${messageOf(error)}`, {
      cause: error,
      ...(error instanceof AfreshError ? {} : { next: 'Correct the file; nothing of it is kept.' }),
    })
  }
}

async function runWithUrl(
  connection: Connection,
  name: InputName,
  input: Exclude<Input, { kind: 'files' }>,
  cwd: string,
  timeoutMs: number,
): Promise<void> {
  const { url, database } = connection
  if (url === undefined) {
    throw new AfreshError('usage', `${name}: a ${input.kind} needs a URL, and an open client has none.`, {
      next: 'Run it before the client is handed over, or use .sql files.',
    })
  }
  if (input.kind === 'command') {
    await runCommand(input.command, { cwd, env: { DATABASE_URL: url }, timeoutMs })
    return
  }
  try {
    await withTimeout(Promise.resolve(input.run({ url, database })), timeoutMs)
  } catch (error) {
    throw new AfreshError('baseline', `The ${name} function failed: ${messageOf(error)}`, {
      next: 'Correct the function; the database it was filling is thrown away.',
      cause: error,
    })
  }
}

/** The function cannot be stopped, but the run that waits for it can. */
async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([work, expiry])
  } finally {
    clearTimeout(timer)
  }
}
