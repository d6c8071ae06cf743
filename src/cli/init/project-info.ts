import type { ServerEngine } from '../../server/spec.ts'

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun'
export const RUNNER_NAMES = ['vitest', 'jest', 'node:test', 'mocha'] as const
export type RunnerName = (typeof RUNNER_NAMES)[number]

/** What `detectProject` found out about a project. The rest of this folder depends on nothing else. */
export interface ProjectInfo {
  /** Packages in package.json, including those of the workspace root. */
  readonly packages: ReadonlySet<string>
  /** Whether its `.js` files are ES modules. */
  readonly isModule: boolean
  readonly scripts: ReadonlyMap<string, string>
  readonly packageManager: Choice<PackageManager>
  /** The contents of the existing `KNOWN_FILES`, by path; empty if a file cannot be read. */
  readonly files: ReadonlyMap<string, string>
  /** Folders and files of SQL that afresh can run directly. */
  readonly sqlMigrations: readonly string[]
  /** Folders of migrations that need a tool. */
  readonly otherMigrations: readonly string[]
  /** The folder of the tests, unless they are next to the code. */
  readonly testFolder: string | undefined
  readonly dockerAnswers: boolean
}

/** What the user chose on the command line. */
export interface RequestedChoices {
  readonly engine?: ServerEngine
  readonly runner?: RunnerName
  readonly server?: string
}

/** A decision and the fact behind it. */
export interface Choice<T> {
  readonly value: T
  readonly reason: string
}

const scripts = (stem: string, extensions = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']) =>
  extensions.map((extension) => `${stem}.${extension}`)
const yaml = (stem: string) => scripts(stem, ['yaml', 'yml'])

/** Files by topic, the more reliable ones first. */
export const KNOWN_FILES = {
  package: ['package.json'],
  afresh: scripts('afresh.config', ['ts', 'mts', 'js', 'mjs', 'cjs']),
  vitest: [...scripts('vitest.config'), ...scripts('vite.config')],
  jest: [...scripts('jest.config'), 'jest.config.json'],
  mocha: ['js', 'cjs', 'yaml', 'yml', 'jsonc', 'json'].map((extension) => `.mocharc.${extension}`),
  typescript: ['tsconfig.json'],
  compose: [
    ...['compose', 'docker-compose', 'compose.test', 'docker-compose.test', 'docker-compose.dev'].flatMap(
      yaml,
    ),
    ...yaml('.devcontainer/docker-compose'),
  ],
  environment: [
    '.env.test',
    '.env.example',
    '.env.sample',
    '.env.template',
    '.env.dist',
    '.env.test.example',
  ],
  prisma: ['prisma/schema.prisma', 'schema.prisma', ...scripts('prisma.config')],
  drizzle: scripts('drizzle.config'),
  knex: scripts('knexfile'),
  mikroOrm: [...scripts('mikro-orm.config'), ...scripts('src/mikro-orm.config')],
  typeOrm: ['', 'src/', 'db/', 'src/db/', 'src/database/'].flatMap((folder) =>
    scripts(`${folder}data-source`, ['ts', 'js']),
  ),
  sequelize: ['.sequelizerc', 'config/config.json', 'config/config.js', 'config/database.js'],
} as const satisfies Record<string, readonly string[]>

/** Whether package.json has the options of a tool. */
export function hasOptionsInPackage(project: ProjectInfo, key: string): boolean {
  try {
    return key in JSON.parse(project.files.get('package.json') ?? '')
  } catch {
    return false
  }
}

export function filesOf(project: ProjectInfo, kind: keyof typeof KNOWN_FILES): string[] {
  return KNOWN_FILES[kind].filter((path) => project.files.has(path))
}

export function firstPackage(project: ProjectInfo, names: readonly string[]): string | undefined {
  return names.find((name) => project.packages.has(name))
}
