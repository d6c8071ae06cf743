import { PGlite } from '@electric-sql/pglite'
import Sqlite from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { applyBaseline } from '../src/baseline/load.ts'
import type { Engine } from '../src/engine/engine.ts'
import { postgres } from '../src/engine/postgres/index.ts'
import { type Opened, open } from '../src/engine/registry.ts'
import { sqlite } from '../src/engine/sqlite/index.ts'
import type { Table } from '../src/schema/schema.ts'
import { describeOn, type ServerId } from './support/servers.ts'

const POSTGRES: readonly ServerId[] = ['embedded:18', 'postgres:18', 'postgres:17', 'postgres:15']
const MYSQL: readonly ServerId[] = ['mysql:9.7', 'mariadb:11.8', 'mariadb:10.11']

interface Sample {
  readonly name: string
  readonly files: readonly string[]
  readonly on: readonly ServerId[]
  /** As listed in fixtures/README.md: tables without partitions, and foreign keys. */
  readonly tables: number
  readonly foreignKeys: number
}

const nasty = (...extras: string[]) => ['postgres', ...extras].map((name) => `nasty/${name}.sql`)
const NASTY_EXTRAS = [
  'postgres-always',
  'postgres-unrestorable',
  'postgres-publication',
  'postgres-foreign',
  'postgres-xml',
]

const SAMPLES: readonly Sample[] = [
  { name: 'demo', on: POSTGRES, files: ['demo/schema.sql', 'demo/data.sql'], tables: 42, foreignKeys: 69 },
  {
    name: 'demo',
    on: MYSQL,
    files: ['demo/mysql/schema.sql', 'demo/mysql/data.sql'],
    tables: 42,
    foreignKeys: 67,
  },
  { name: 'nasty', on: POSTGRES, files: nasty(), tables: 95, foreignKeys: 35 },
  { name: 'nasty, all of it', on: POSTGRES, files: nasty(...NASTY_EXTRAS), tables: 108, foreignKeys: 36 },
  {
    name: 'nasty, 18',
    on: ['embedded:18', 'postgres:18'],
    files: nasty('postgres-18'),
    tables: 100,
    foreignKeys: 37,
  },
  {
    name: 'nasty',
    on: ['mysql:9.7'],
    files: ['nasty/mysql.sql', 'nasty/mysql-extra.sql', 'nasty/mysql-triggers.sql'],
    tables: 69,
    foreignKeys: 20,
  },
  {
    name: 'nasty',
    on: ['mariadb:11.8', 'mariadb:10.11'],
    files: ['nasty/mysql.sql', 'nasty/mariadb-extra.sql', 'nasty/mysql-triggers.sql'],
    tables: 72,
    foreignKeys: 21,
  },
  { name: 'public: heat', on: POSTGRES, files: ['public/heat/dump.sql'], tables: 16, foreignKeys: 16 },
  { name: 'public: unleash', on: POSTGRES, files: ['public/unleash/dump.sql'], tables: 84, foreignKeys: 79 },
  { name: 'public: vendure', on: POSTGRES, files: ['public/vendure/dump.sql'], tables: 82, foreignKeys: 119 },
  {
    name: 'public: neutron',
    on: POSTGRES,
    files: ['public/neutron/dump.sql'],
    tables: 189,
    foreignKeys: 188,
  },
]

/** Loads the files into a new database of the server, and drops it afterwards. */
async function withLoaded(
  url: string,
  sample: Sample,
  use: (opened: Opened) => Promise<void>,
): Promise<void> {
  const admin = await open(url)
  const name = `afresh_fixture_${process.pid}`
  const { databases } = admin.engine
  if (databases === undefined) throw new Error('the server has no databases')
  await admin.connection.query(`CREATE DATABASE ${name}`)
  try {
    const opened = await open(databases.urlOf(url, name))
    try {
      const fixtures = sample.files.map((file) => `fixtures/${file}`)
      await applyBaseline(opened.connection, { engine: opened.engine, fixtures, cwd: process.cwd() })
      await use(opened)
    } finally {
      await opened.connection.close()
    }
  } finally {
    await admin.connection.query(`DROP DATABASE ${name}`)
    await admin.connection.close()
  }
}

for (const id of [...POSTGRES, ...MYSQL]) {
  describeOn(id, ({ url }) => {
    for (const sample of SAMPLES.filter(({ on }) => on.includes(id))) {
      it(`loads ${sample.name}: ${sample.tables} tables, ${sample.foreignKeys} foreign keys`, async () => {
        await withLoaded(url, sample, async ({ engine, connection }) => {
          const { tables, foreignKeys } = await engine.introspect(connection)
          expect({ tables: stored(tables).length, foreignKeys: foreignKeys.length }).toEqual({
            tables: sample.tables,
            foreignKeys: sample.foreignKeys,
          })
        })
      })
    }
  })
}

describe('in this process', () => {
  const count = async (engine: Engine, client: unknown, fixtures: readonly string[]) => {
    const connection = engine.wrap(client)
    if (connection === undefined) throw new Error('the handle is not known')
    await applyBaseline(connection, {
      engine,
      fixtures: fixtures.map((file) => `fixtures/${file}`),
      cwd: process.cwd(),
    })
    return stored((await engine.introspect(connection)).tables).length
  }

  it('loads nasty into SQLite', async () => {
    const client = new Sqlite(':memory:')
    expect(await count(sqlite, client, ['nasty/sqlite.sql'])).toBe(48)
    client.close()
  })

  it.each([
    ['demo', ['demo/schema.sql', 'demo/data.sql'], 42],
    ['nasty', nasty('postgres-18'), 100],
  ])('loads %s into PGlite', async (_, files, tables) => {
    const client = await PGlite.create()
    expect(await count(postgres, client, files)).toBe(tables)
    await client.close()
  })
})

/** Excludes materialized views, which fixtures/README.md does not count as tables. */
function stored(tables: readonly Table[]): Table[] {
  return tables.filter(({ traits }) => !traits.includes('materialized'))
}
