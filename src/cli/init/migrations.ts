import {
  type Choice,
  filesOf,
  firstPackage,
  type KNOWN_FILES,
  type PackageManager,
  type ProjectInfo,
} from './project-info.ts'

/** How the project's database gets its tables. */
export type Migrations =
  | {
      readonly kind: 'command'
      readonly command: string
      /** A folder that it depends on, if that is known. */
      readonly inputs: string | undefined
    }
  | { readonly kind: 'sql'; readonly path: string }
  /** No migrations: an example is written. */
  | { readonly kind: 'example' }
  /** Migrations of an unknown tool. */
  | { readonly kind: 'unknown'; readonly folder: string }

export interface MigrationsChoice extends Choice<Migrations> {
  /** What the user must check before the first run. */
  readonly note: string | undefined
}

interface Tool {
  readonly config?: keyof typeof KNOWN_FILES
  /** The package, for a tool without a configuration file. */
  readonly package?: string
  /** The arguments of the package manager's run command: `prisma migrate deploy`. */
  readonly command: (project: ProjectInfo, file: string) => string
  /** Folders of its migrations: the first that the project has is what the command depends on. */
  readonly folders?: (project: ProjectInfo, file: string) => readonly string[]
}

const FOLDERS = ['migrations', 'db/migrations', 'database/migrations', 'src/migrations', 'src/db/migrations']

const PRISMA_FOLDERS = ['prisma/migrations', 'migrations']

const TOOLS: readonly Tool[] = [
  {
    config: 'prisma',
    command: (project) =>
      hasMigrations(project, PRISMA_FOLDERS) ? 'prisma migrate deploy' : 'prisma db push',
    // `db push` depends on the schema alone; both are in the folder of the schema.
    folders: (_, file) => (file.startsWith('prisma/') ? ['prisma'] : PRISMA_FOLDERS),
  },
  {
    config: 'drizzle',
    command: (project, file) =>
      hasMigrations(project, [drizzleFolder(project.files.get(file) ?? '')])
        ? 'drizzle-kit migrate'
        : 'drizzle-kit push --force',
    folders: (project, file) => [drizzleFolder(project.files.get(file) ?? '')],
  },
  { config: 'knex', command: () => 'knex migrate:latest', folders: () => FOLDERS },
  { config: 'mikroOrm', command: () => 'mikro-orm migration:up', folders: () => FOLDERS },
  {
    config: 'typeOrm',
    command: (project, file) => {
      const program = !file.endsWith('.ts') ? '' : project.isModule ? '-ts-node-esm' : '-ts-node-commonjs'
      return `typeorm${program} migration:run -d ${file}`
    },
    folders: () => FOLDERS,
  },
  {
    package: 'sequelize-cli',
    command: () => 'sequelize-cli db:migrate --url "$DATABASE_URL"',
    folders: () => FOLDERS,
  },
  { package: 'node-pg-migrate', command: () => 'node-pg-migrate up', folders: () => FOLDERS },
]

/** How each package manager runs a package's executable. */
export const RUN: Readonly<Record<PackageManager, string>> = {
  npm: 'npx',
  pnpm: 'pnpm exec',
  yarn: 'yarn',
  bun: 'bunx',
}

/** The folder of drizzle-kit's migrations: `out` in its configuration. */
export function drizzleFolder(config: string): string {
  return /\bout:\s*["'](?:\.\/)?([\w./-]+?)\/?["']/.exec(config)?.[1] ?? 'drizzle'
}

const RUN_SCRIPT: Readonly<Record<PackageManager, string>> = {
  npm: 'npm run',
  pnpm: 'pnpm run',
  yarn: 'yarn run',
  bun: 'bun run',
}

const MIGRATES = /^(db:|database:)?(migrate|migrations?)(:(up|latest|deploy|run|apply|test))?$/
/** Scripts that prompt, undo, generate files, or load a `.env` of their own. */
const NOT_FOR_TESTS = /\bdev\b|reset|rollback|\bdown\b|create|generate|\bmake\b|dotenv|--env-file/

/** The project's own script for migrations, since its author knows what the tool needs. */
function ownScript(project: ProjectInfo): MigrationsChoice | undefined {
  const [found] = [...project.scripts].filter(
    ([name, text]) => MIGRATES.test(name) && !NOT_FOR_TESTS.test(text),
  )
  if (found === undefined) return undefined
  const [name, text] = found
  const command = `${RUN_SCRIPT[project.packageManager.value]} ${name}`
  return {
    value: { kind: 'command', command, inputs: undefined },
    reason: `package.json has the script "${name}": ${text}`,
    note: `See that \`${command}\` takes its database from DATABASE_URL, or name the variables that it reads under \`env\` in the configuration.`,
  }
}

export function chooseMigrations(project: ProjectInfo): MigrationsChoice {
  const own = ownScript(project)
  if (own !== undefined) return own
  for (const tool of TOOLS) {
    const files = tool.config === undefined ? [] : filesOf(project, tool.config)
    const found = files[0] ?? firstPackage(project, tool.package === undefined ? [] : [tool.package])
    if (found === undefined) continue
    const command = `${RUN[project.packageManager.value]} ${tool.command(project, found)}`
    return {
      value: { kind: 'command', command, inputs: inputsOf(project, tool, found) },
      reason: files.length > 0 ? `${found} is there` : `package.json has ${found}`,
      note: noteOnUrl(project, files, command),
    }
  }
  const [path] = project.sqlMigrations
  if (path !== undefined) return { value: { kind: 'sql', path }, reason: `${path} has SQL`, note: undefined }
  const [folder] = project.otherMigrations
  if (folder !== undefined) {
    return {
      value: { kind: 'unknown', folder },
      reason: `${folder} has no .sql files, and no tool is known by its configuration`,
      note: `Add \`migrate\` to the configuration, a function or a command: what ${folder} needs is not known.`,
    }
  }
  return { value: { kind: 'example' }, reason: 'there are no migrations yet', note: undefined }
}

function inputsOf(project: ProjectInfo, { folders }: Tool, file: string): string | undefined {
  return folders?.(project, file).find((folder) => folder === 'prisma' || hasMigrations(project, [folder]))
}

function hasMigrations(project: ProjectInfo, folders: readonly string[]): boolean {
  return folders.some(
    (folder) => project.sqlMigrations.includes(folder) || project.otherMigrations.includes(folder),
  )
}

/** A tool that reads another URL could migrate a real database. */
function noteOnUrl(project: ProjectInfo, files: readonly string[], command: string): string | undefined {
  const texts = files.map((file) => project.files.get(file) ?? '')
  if (files.length === 0 || texts.some((text) => text.includes('DATABASE_URL'))) return undefined
  return `${files.join(', ')} does not mention DATABASE_URL: see that \`${command}\` migrates the database named there, and no other.`
}
