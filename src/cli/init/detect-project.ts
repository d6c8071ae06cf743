import { execFile } from 'node:child_process'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { filesIn } from '../../baseline/files.ts'
import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import { drizzleFolder } from './migrations.ts'
import { type Choice, KNOWN_FILES, type PackageManager, type ProjectInfo } from './project-info.ts'

const MIGRATION_FOLDERS = [
  'migrations',
  'db/migrations',
  'database/migrations',
  'sql/migrations',
  'src/migrations',
  'src/db/migrations',
  'supabase/migrations',
  'prisma/migrations',
]
const SCHEMA_FILES = ['schema.sql', 'db/schema.sql', 'db/structure.sql', 'sql/schema.sql']
const TEST_FOLDERS = ['test', 'tests', '__tests__']

const LOCK_FILES: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
]

/** Longer files are not read: no configuration is that long. */
const MAX_BYTES = 1_000_000
const DOCKER_TIMEOUT_MS = 3_000

/**
 * Inspects a project. Changes nothing.
 *
 * @throws AfreshError `usage` if package.json is not valid JSON
 */
export async function detectProject(root: string): Promise<ProjectInfo> {
  const [manifest, workspace, files, dockerAnswers] = await Promise.all([
    readManifest(root),
    readWorkspace(root),
    readKnownFiles(root),
    docker(),
  ])
  const drizzle = KNOWN_FILES.drizzle.map((path) => files.get(path)).find((text) => text !== undefined)
  const folders = [...MIGRATION_FOLDERS, ...(drizzle === undefined ? [] : [drizzleFolder(drizzle)])]
  return {
    packages: new Set([...packagesOf(manifest), ...workspace.packages]),
    isModule: manifest.type === 'module',
    scripts: new Map(
      Object.entries(recordOf(manifest.scripts)).map(([name, script]) => [name, String(script)]),
    ),
    packageManager: packageManagerOf(manifest) ??
      workspace.packageManager ?? { value: 'npm', reason: 'no lock file' },
    files,
    ...(await migrationsIn(root, folders)),
    // Does not follow a symbolic link, which may lead out of the project.
    testFolder: await firstOf(TEST_FOLDERS, (folder) => isFolder(join(root, folder), lstat)),
    dockerAnswers,
  }
}

type Manifest = Readonly<Record<string, unknown>>

async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, 'package.json')
  const next = 'Correct it, or run this in the folder of the project.'
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return {}
    throw new AfreshError('usage', `${path} cannot be read: ${messageOf(cause)}`, { next, cause })
  }
  try {
    const manifest: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest)) return { ...manifest }
  } catch (cause) {
    throw new AfreshError('usage', `${path} is not JSON: ${messageOf(cause)}`, { next, cause })
  }
  throw new AfreshError('usage', `${path} does not contain a JSON object.`, { next })
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function packagesOf(manifest: Manifest): string[] {
  return ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.keys(recordOf(manifest[kind])),
  )
}

function packageManagerOf({ packageManager }: Manifest): Choice<PackageManager> | undefined {
  const name = typeof packageManager === 'string' ? packageManager.split('@')[0] : undefined
  const value = LOCK_FILES.map(([, manager]) => manager).find((manager) => manager === name)
  return value === undefined ? undefined : { value, reason: 'package.json names it' }
}

/**
 * The package manager of the nearest lock file, here or in a parent folder, and the packages that its
 * package.json shares with a workspace.
 */
async function readWorkspace(
  start: string,
): Promise<{ packageManager: Choice<PackageManager> | undefined; packages: readonly string[] }> {
  for (let folder = start; ; folder = dirname(folder)) {
    const found = await firstOf(LOCK_FILES, ([name]) => exists(join(folder, name)))
    if (found !== undefined) {
      const manifest = await readManifest(folder)
      const [name, value] = found
      const packageManager = packageManagerOf(manifest) ?? { value, reason: `${name} is there` }
      const isShared =
        manifest.workspaces !== undefined || (await exists(join(folder, 'pnpm-workspace.yaml')))
      return { packageManager, packages: isShared ? packagesOf(manifest) : [] }
    }
    if (folder === dirname(folder) || (await exists(join(folder, '.git')))) {
      return { packageManager: undefined, packages: [] }
    }
  }
}

async function readKnownFiles(root: string): Promise<Map<string, string>> {
  const paths = Object.values(KNOWN_FILES).flat()
  const texts = await Promise.all(paths.map(async (path) => [path, await textOf(join(root, path))] as const))
  return new Map(texts.flatMap(([path, text]) => (text === undefined ? [] : [[path, text] as const])))
}

/** `undefined` if the path does not exist; empty if it is not a file, is too large, or cannot be read. */
async function textOf(path: string): Promise<string | undefined> {
  if (!(await exists(path))) return undefined
  try {
    const { size } = await stat(path)
    return (await isFile(path)) && size <= MAX_BYTES ? await readFile(path, 'utf8') : ''
  } catch {
    return ''
  }
}

async function migrationsIn(
  root: string,
  folders: readonly string[],
): Promise<Pick<ProjectInfo, 'sqlMigrations' | 'otherMigrations'>> {
  const sqlMigrations: string[] = []
  const otherMigrations: string[] = []
  for (const folder of new Set(folders)) {
    const path = join(root, folder)
    if (!(await isFolder(path))) continue
    if ((await filesIn(path, root, { ignore: [], rows: false })).length > 0) sqlMigrations.push(folder)
    else if ((await readdir(path)).some((name) => !name.startsWith('.'))) otherMigrations.push(folder)
  }
  for (const file of SCHEMA_FILES) if (await isFile(join(root, file))) sqlMigrations.push(file)
  return { sqlMigrations, otherMigrations }
}

async function docker(): Promise<boolean> {
  try {
    const args = ['version', '--format', '{{.Server.Version}}']
    await promisify(execFile)('docker', args, { timeout: DOCKER_TIMEOUT_MS, windowsHide: true })
    return true
  } catch {
    return false
  }
}

async function firstOf<T>(
  candidates: readonly T[],
  holds: (candidate: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const candidate of candidates) if (await holds(candidate)) return candidate
  return undefined
}

/** Includes broken symbolic links. */
async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  )
}

async function isFolder(path: string, look: typeof stat | typeof lstat = stat): Promise<boolean> {
  return look(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
