import { stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { AfreshError } from '../errors.ts'
import { anyFilesOf, filesIn, filesMatching, hasRows, type InputFile, inputFile } from './files.ts'
import { ROW_EXTENSIONS } from './rows/file-rows.ts'

/** The argument of a `migrate` or `fixtures` function. */
export interface MigrateContext {
  /** URL of the database to fill. */
  readonly url: string
  readonly database: string
}

/** A shell command, which runs with the URL of the database as `DATABASE_URL`. */
export interface Command {
  readonly command: string
  /**
   * Everything that the result depends on: files, folders, globs. While they are unchanged, the template is
   * kept between runs. Default: unknown, so that every run runs the command.
   */
  readonly inputs?: string | readonly string[]
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

/**
 * How the tables get the rows that every test starts with, in the same forms as `Migrate`, and by files with
 * rows: `.csv`, `.json`, `.yaml`.
 */
export type Fixtures = Migrate

/** Files with rows or SQL, by the name of the set that `load` takes: a path, a folder, a glob, or a list. */
export type FixtureSets = Readonly<Record<string, string | readonly string[]>>

export type Input =
  | { readonly kind: 'function'; readonly run: (context: MigrateContext) => void | Promise<void> }
  | {
      readonly kind: 'command'
      readonly command: string
      /** `undefined` if unknown. */
      readonly inputs: readonly InputFile[] | undefined
    }
  | { readonly kind: 'files'; readonly files: readonly InputFile[] }

export type InputName = 'migrate' | 'fixtures'

/** Interprets what the user specified. Throws `AfreshError` (`usage`) if it matches nothing. */
export async function resolveInput(name: InputName, given: Migrate, cwd: string): Promise<Input> {
  if (typeof given === 'function') return { kind: 'function', run: given }
  if (typeof given === 'string') {
    const files = await filesOf(name, given, cwd)
    if (files !== undefined) return { kind: 'files', files }
    if (given.includes(' ')) return { kind: 'command', command: given, inputs: undefined }
    throw nothingAt(name, given, cwd)
  }
  if ('command' in given) return resolveCommand(name, given, cwd)
  return { kind: 'files', files: await filesOfList(name, given, cwd) }
}

async function resolveCommand(name: InputName, { command, inputs }: Command, cwd: string): Promise<Input> {
  if (inputs === undefined) return { kind: 'command', command, inputs }
  const files: InputFile[] = []
  for (const entry of typeof inputs === 'string' ? [inputs] : inputs) {
    const found = await anyFilesOf(entry, cwd)
    if (found.length === 0) throw nothingAt(`the inputs of ${name}`, entry, cwd)
    files.push(...found)
  }
  return { kind: 'command', command, inputs: files }
}

/**
 * The files of each entry, in the order of the list. Entries that begin with `!` exclude files.
 *
 * @throws AfreshError `usage` if an entry matches nothing
 */
export async function filesOfList(
  name: string,
  entries: readonly string[],
  cwd: string,
): Promise<InputFile[]> {
  const ignore = entries.filter((entry) => entry.startsWith('!')).map((entry) => entry.slice(1))
  const files: InputFile[] = []
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
  name: string,
  given: string,
  cwd: string,
  ignore: readonly string[] = [],
): Promise<InputFile[] | undefined> {
  const path = resolve(cwd, given)
  const stats = await stat(path).catch(() => undefined)
  if (stats?.isDirectory()) {
    const rows = name !== 'migrate'
    const files = await filesIn(path, cwd, { ignore, rows })
    if (files.length === 0) {
      const kinds = rows ? ['.sql', ...ROW_EXTENSIONS].join(', ') : '.sql'
      throw new AfreshError('usage', `${name}: the folder ${path} has no ${kinds} files.`, {
        next: 'Name the folder that contains them; run migrations of a tool as { command: … } or a function.',
      })
    }
    return sqlFirst(files)
  }
  if (stats !== undefined) {
    refuseOtherKinds(name, path)
    return [inputFile(path, cwd)]
  }
  const files = await filesMatching(given, cwd, ignore)
  for (const file of files) refuseOtherKinds(name, file.path)
  return files.length === 0 ? undefined : sqlFirst(files)
}

/** Within an entry: rows are ordered by their tables, whatever the names of their files. */
function sqlFirst(files: readonly InputFile[]): InputFile[] {
  return [...files.filter((file) => !hasRows(file)), ...files.filter(hasRows)]
}

function refuseOtherKinds(name: string, path: string): void {
  const extension = extname(path).toLowerCase()
  if (extension === '.sql') return
  if (!ROW_EXTENSIONS.includes(extension)) {
    throw new AfreshError('usage', `${name}: ${path} is not an .sql file (${extension || 'no extension'}).`, {
      next: `Files may be .sql and, for fixtures, ${ROW_EXTENSIONS.join(', ')}; load any other in a function.`,
    })
  }
  if (name !== 'migrate') return
  throw new AfreshError('usage', `${name}: ${path} contains rows, and migrations create tables.`, {
    next: 'Name it under `fixtures`.',
  })
}

function nothingAt(name: string, given: string, cwd: string): AfreshError {
  return new AfreshError(
    'usage',
    `${name}: «${given}» matches no file, no folder and no glob (looked in ${cwd}).`,
    { next: 'Correct the path; for a shell command write { command: … }.' },
  )
}
