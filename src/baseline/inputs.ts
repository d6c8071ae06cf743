import { stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { AfreshError } from '../errors.ts'
import { filesIn, filesMatching, type SqlFile, sqlFile } from './files.ts'

/** What a `migrate` or `fixtures` function is told. */
export interface MigrateContext {
  /** Connects to the database that is to be filled. */
  readonly url: string
  readonly database: string
}

/** Runs in the user's shell, with the URL of the database as `DATABASE_URL`. */
export interface Command {
  readonly command: string
}

/**
 * How a database gets its tables: a function; SQL files, as a path, a folder, a glob or a list of them; or
 * a shell command. A string is a command when it names no file and has a space in it.
 */
export type Migrate =
  | ((context: MigrateContext) => void | Promise<void>)
  | Command
  | string
  | readonly string[]

/** How the tables get the rows that they all begin with: the same ways. */
export type Fixtures = Migrate

export type Input =
  | { readonly kind: 'function'; readonly run: (context: MigrateContext) => void | Promise<void> }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'files'; readonly files: readonly SqlFile[] }

export type InputName = 'migrate' | 'fixtures'

/** Finds out what the user means. Throws `AfreshError` (`usage`) when it can be nothing. */
export async function resolveInput(name: InputName, given: Migrate, cwd: string): Promise<Input> {
  if (typeof given === 'function') return { kind: 'function', run: given }
  if (typeof given === 'string') {
    const files = await filesOf(name, given, cwd)
    if (files !== undefined) return { kind: 'files', files }
    if (given.includes(' ')) return { kind: 'command', command: given }
    throw nothingAt(name, given, cwd)
  }
  if ('command' in given) return { kind: 'command', command: given.command }
  return { kind: 'files', files: await filesOfList(name, given, cwd) }
}

/** In the order of the list, each entry's files in theirs; entries that begin with `!` leave files out. */
async function filesOfList(name: InputName, entries: readonly string[], cwd: string): Promise<SqlFile[]> {
  const ignore = entries.filter((entry) => entry.startsWith('!')).map((entry) => entry.slice(1))
  const files: SqlFile[] = []
  for (const entry of entries) {
    if (entry.startsWith('!')) continue
    const found = await filesOf(name, entry, cwd, ignore)
    if (found === undefined) throw nothingAt(name, entry, cwd)
    files.push(...found)
  }
  return files
}

/** The files that `given` names; `undefined` when there are none. */
async function filesOf(
  name: InputName,
  given: string,
  cwd: string,
  ignore: readonly string[] = [],
): Promise<SqlFile[] | undefined> {
  const path = resolve(cwd, given)
  const stats = await stat(path).catch(() => undefined)
  if (stats?.isDirectory()) {
    const files = await filesIn(path, cwd, ignore)
    if (files.length === 0) {
      throw new AfreshError('usage', `${name}: the folder ${path} has no .sql files.`, {
        next: 'Name the folder that holds them; migrations that need a tool run as { command: … } or a function.',
      })
    }
    return files
  }
  if (stats !== undefined) {
    refuseOtherKinds(name, path)
    return [sqlFile(path, cwd)]
  }
  const files = await filesMatching(given, cwd, ignore)
  for (const file of files) refuseOtherKinds(name, file.path)
  return files.length === 0 ? undefined : files
}

function refuseOtherKinds(name: InputName, path: string): void {
  const extension = extname(path)
  if (extension.toLowerCase() === '.sql') return
  throw new AfreshError('usage', `${name}: ${path} is not an .sql file (${extension || 'no extension'}).`, {
    next: 'Not yet supported are .json, .yaml, .csv and others: load them in a function.',
  })
}

function nothingAt(name: InputName, given: string, cwd: string): AfreshError {
  return new AfreshError(
    'usage',
    `${name}: «${given}» matches no file, no folder and no glob (looked in ${cwd}).`,
    { next: 'Correct the path; for a shell command write { command: … }.' },
  )
}
