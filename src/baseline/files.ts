import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, extname, relative, resolve, sep } from 'node:path'
import { AfreshError } from '../errors.ts'
import { ROW_EXTENSIONS } from './rows/file-rows.ts'

export interface InputFile {
  readonly path: string
  /** Path relative to the project, with forward slashes: for people and fingerprints. */
  readonly label: string
}

/** Flat folders, and folders per migration: Prisma, Drizzle (`migration.sql`), Diesel, Hasura (`up.sql`). */
const FOLDER_LAYOUTS = ['*.sql', '*/migration.sql', '*/up.sql']

const ROW_FILES = `*{${ROW_EXTENSIONS.join(',')}}`

/** Files that revert a migration; the last pattern is Flyway's. */
const UNDO = [/(?:^|[._-])(?:down|undo|rollback)\.sql$/i, /^U\d[\w.]*__.*\.sql$/i]

/** Flyway's repeatable migrations run after the versioned ones. */
const REPEATABLE = /^R__/

/** Starts the section that reverts a migration in dbmate, goose, sql-migrate and node-pg-migrate. */
const UNDO_SECTION = /^[ \t]*--[ \t]*(?:migrate:down|\+goose down|\+migrate down|down migration)\b/im

/** Sorts 2 before 10. */
const NATURAL = new Intl.Collator('en', { numeric: true })

export function inputFile(path: string, cwd: string): InputFile {
  return { path, label: relative(cwd, path).split(sep).join('/') }
}

/** Whether the file contains rows; otherwise it contains SQL. */
export function hasRows({ path }: InputFile): boolean {
  return ROW_EXTENSIONS.includes(extname(path).toLowerCase())
}

/** The SQL files of a folder, in the order in which they run, and with `rows` the files with rows. */
export async function filesIn(
  folder: string,
  cwd: string,
  { ignore, rows }: { readonly ignore: readonly string[]; readonly rows: boolean },
): Promise<InputFile[]> {
  const { glob } = await tinyglobby()
  const inFolder = await glob(rows ? [...FOLDER_LAYOUTS, ROW_FILES] : FOLDER_LAYOUTS, {
    cwd: folder,
    absolute: true,
    expandDirectories: false,
  })
  const ignored = await matches(ignore, cwd)
  return inOrder(
    inFolder.map((path) => resolve(path)).filter((path) => !ignored.has(path)),
    cwd,
  )
}

/** The files that match a glob, in the order in which they run. */
export async function filesMatching(
  pattern: string,
  cwd: string,
  ignore: readonly string[],
): Promise<InputFile[]> {
  const { isDynamicPattern } = await tinyglobby()
  if (!isDynamicPattern(pattern)) return []
  const ignored = await matches(ignore, cwd)
  return inOrder(
    [...(await matches([pattern], cwd))].filter((path) => !ignored.has(path)),
    cwd,
  )
}

/** The files that a path, a folder or a glob names, of whatever kind. */
export async function anyFilesOf(entry: string, cwd: string): Promise<InputFile[]> {
  const path = resolve(cwd, entry)
  const stats = await stat(path).catch(() => undefined)
  if (stats?.isFile()) return [inputFile(path, cwd)]
  const { glob } = await tinyglobby()
  const options = { absolute: true, dot: true, ignore: ['**/node_modules/**', '**/.git/**'] }
  const found = stats?.isDirectory()
    ? await glob('**/*', { ...options, cwd: path })
    : await glob(sep === '\\' ? entry.replaceAll('\\', '/') : entry, {
        ...options,
        cwd,
        expandDirectories: false,
      })
  return found.map((file) => inputFile(resolve(file), cwd)).sort((a, b) => NATURAL.compare(a.label, b.label))
}

/** The migration without the section that reverts it. */
export function withoutUndoSection(sql: string): string {
  const section = UNDO_SECTION.exec(sql)
  return section === null ? sql : sql.slice(0, section.index)
}

/** Throws if the file is not text. */
export async function readBytes({ path }: InputFile): Promise<Buffer> {
  const bytes = await readFile(path)
  if (bytes.includes(0)) throw new Error('it is not UTF-8 text: it has NUL bytes (UTF-16, or compressed?)')
  return bytes
}

/** Throws for bytes that are not UTF-8: lenient decoding would store different characters. */
export function utf8Of(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const lines = bytes.toString('latin1').split('\n')
    const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1
    throw new AfreshError('baseline', `it is not UTF-8 text: see line ${line}.`, {
      next: 'Convert it: iconv -f latin1 -t utf8, with the encoding of the file in place of latin1.',
    })
  }
}

/** Reads the file in parts: it may be larger than the memory. */
export async function hashOf({ path }: InputFile): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Loaded only to read a folder or glob: `import 'afresh'` must be fast. */
function tinyglobby() {
  return import('tinyglobby')
}

async function matches(patterns: readonly string[], cwd: string): Promise<Set<string>> {
  if (patterns.length === 0) return new Set()
  const slashed = patterns.map((pattern) => (sep === '\\' ? pattern.replaceAll('\\', '/') : pattern))
  const { glob } = await tinyglobby()
  const found = await glob(slashed, { cwd, absolute: true, expandDirectories: false })
  return new Set(found.map((path) => resolve(path)))
}

function inOrder(paths: readonly string[], cwd: string): InputFile[] {
  return paths
    .map((path) => inputFile(path, cwd))
    .filter(({ path }) => !UNDO.some((pattern) => pattern.test(basename(path))))
    .sort(
      (a, b) =>
        Number(REPEATABLE.test(basename(a.path))) - Number(REPEATABLE.test(basename(b.path))) ||
        NATURAL.compare(a.label, b.label),
    )
}
