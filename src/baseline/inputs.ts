import { stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { AfreshError } from '../errors.ts'
import { filesIn, filesMatching, type SqlFile, sqlFile } from './files.ts'

/** The argument of a `migrate` or `fixtures` function. */
export interface MigrateContext {
  /** URL of the database to fill. */
  readonly url: string
  readonly database: string
}

/** A shell command, which runs with the URL of the database as `DATABASE_URL`. */
export interface Command {
  readonly command: string
}

/**
 * How a database gets its tables: a function; SQL files, as a path, a folder, a glob or a list of these; or a
 * shell command. A string that names no file and contains a space is a command.
 */
export type Migrate =
  | ((context: MigrateContext) => void | Promise<void>)
  | Command
  | string
  | readonly string[]

/** How the tables get the rows that every test starts with, in the same forms as `Migrate`. */
export type Fixtures = Migrate

export type Input =
  | { readonly kind: 'function'; readonly run: (context: MigrateContext) => void | Promise<void> }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'files'; readonly files: readonly SqlFile[] }

export type InputName = 'migrate' | 'fixtures'

/** Interprets what the user specified. Throws `AfreshError` (`usage`) if it matches nothing. */
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

/** The files of each entry, in the order of the list. Entries that begin with `!` exclude files. */
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

/** The files that `given` names; `undefined` if there are none. */
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
        next: 'Name the folder that contains them; run migrations of a tool as { command: … } or a function.',
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
