import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, relative, resolve, sep } from 'node:path'
import { glob, isDynamicPattern } from 'tinyglobby'

export interface SqlFile {
  readonly path: string
  /** For people and fingerprints: relative to the project, with forward slashes. */
  readonly label: string
}

/** Beside flat folders: one folder a migration, as Prisma and Drizzle (`migration.sql`) or Diesel and Hasura (`up.sql`) have it. */
const FOLDER_LAYOUTS = ['*.sql', '*/migration.sql', '*/up.sql']

/** What undoes a migration; the last is Flyway's. */
const UNDO = [/(?:^|[._-])(?:down|undo|rollback)\.sql$/i, /^U\d[\w.]*__/]

/** Flyway's repeatable migrations run after the versioned ones. */
const REPEATABLE = /^R__/

/** Where dbmate, goose, sql-migrate and node-pg-migrate begin the half of a file that undoes the other. */
const UNDO_SECTION = /^[ \t]*--[ \t]*(?:migrate:down|\+goose down|\+migrate down|down migration)\b/im

/** Where 2 comes before 10. */
const NATURAL = new Intl.Collator('en', { numeric: true })

export function sqlFile(path: string, cwd: string): SqlFile {
  return { path, label: relative(cwd, path).split(sep).join('/') }
}

/** The migrations of a folder, in the order in which they are to run. */
export async function filesIn(folder: string, cwd: string, ignore: readonly string[]): Promise<SqlFile[]> {
  const inFolder = await glob(FOLDER_LAYOUTS, { cwd: folder, absolute: true, expandDirectories: false })
  const ignored = await matches(ignore, cwd)
  return inOrder(
    inFolder.map((path) => resolve(path)).filter((path) => !ignored.has(path)),
    cwd,
  )
}

/** The files that a glob matches, in the order in which they are to run. */
export async function filesMatching(
  pattern: string,
  cwd: string,
  ignore: readonly string[],
): Promise<SqlFile[]> {
  if (!isDynamicPattern(pattern)) return []
  const ignored = await matches(ignore, cwd)
  return inOrder(
    [...(await matches([pattern], cwd))].filter((path) => !ignored.has(path)),
    cwd,
  )
}

/** What a migration does, without the half of the file that undoes it. */
export function withoutUndoSection(sql: string): string {
  const section = UNDO_SECTION.exec(sql)
  return section === null ? sql : sql.slice(0, section.index)
}

/** Throws when the file is not text. */
export async function readSql({ path }: SqlFile): Promise<string> {
  const bytes = await readFile(path)
  if (bytes.includes(0)) throw new Error('it is not UTF-8 text: it has NUL bytes (UTF-16, or compressed?)')
  return bytes.toString('utf8')
}

export async function hashOf({ path }: SqlFile): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

async function matches(patterns: readonly string[], cwd: string): Promise<Set<string>> {
  if (patterns.length === 0) return new Set()
  const slashed = patterns.map((pattern) => (sep === '\\' ? pattern.replaceAll('\\', '/') : pattern))
  const found = await glob(slashed, { cwd, absolute: true, expandDirectories: false })
  return new Set(found.map((path) => resolve(path)))
}

function inOrder(paths: readonly string[], cwd: string): SqlFile[] {
  return paths
    .map((path) => sqlFile(path, cwd))
    .filter(({ path }) => !UNDO.some((pattern) => pattern.test(basename(path))))
    .sort(
      (a, b) =>
        Number(REPEATABLE.test(basename(a.path))) - Number(REPEATABLE.test(basename(b.path))) ||
        NATURAL.compare(a.label, b.label),
    )
}
