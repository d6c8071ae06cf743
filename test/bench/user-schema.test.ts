import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BenchResults, parseResults } from '../../src/bench/results.ts'
import { benchUserSchema, type OwnOptions } from '../../src/bench/user-schema.ts'
import { readServerCosts } from '../../src/costs/store.ts'
import { open } from '../../src/engine/registry.ts'
import { RefusedError } from '../../src/errors.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

const cache = mkdtempSync(join(tmpdir(), 'afresh-own-'))
const before = process.env.AFRESH_CACHE_DIR
beforeAll(() => {
  process.env.AFRESH_CACHE_DIR = cache
})
afterAll(() => {
  if (before === undefined) delete process.env.AFRESH_CACHE_DIR
  else process.env.AFRESH_CACHE_DIR = before
  rmSync(cache, { recursive: true })
})

const NAME = 'somebodys_own'

/** SQL for both dialects, with placeholders; `"` becomes the quotes of the dialect. */
const EVERYWHERE = `
  CREATE TABLE customers (id SERIAL_KEY, email varchar(60) NOT NULL UNIQUE, score int CHECK (score BETWEEN 1 AND 5));
  CREATE TABLE orders (id SERIAL_KEY, customer int NOT NULL REFERENCES_ID(customers), twice int GENERATED ALWAYS AS (customer * 2) STORED);
  CREATE TABLE order_lines (order_id int NOT NULL REFERENCES_ID(orders), line int NOT NULL, PRIMARY KEY (order_id, line));
  CREATE TABLE likes (customer int NOT NULL REFERENCES_ID(customers), liked int NOT NULL REFERENCES_ID(orders), PRIMARY KEY (customer, liked));
  CREATE TABLE categories (id SERIAL_KEY, parent int REFERENCES_ID(categories));
  CREATE TABLE hens (id SERIAL_KEY, egg int NOT NULL);
  CREATE TABLE eggs (id SERIAL_KEY, hen int NOT NULL REFERENCES_ID(hens));
  CREATE TABLE days (day date PRIMARY KEY);
  CREATE TABLE refused (id int PRIMARY KEY, CHECK (id < 0 AND id > 0));
  CREATE TABLE "we""ird; -- t'able" (id SERIAL_KEY, "se""lect" varchar(20) UNIQUE);
  INSERT INTO customers (email, score) VALUES ('ada@example.org', 5), ('bert@example.org', 1);
  INSERT INTO orders (customer) VALUES (1), (1), (2);
`

const SCHEMAS: Readonly<Record<ServerAtHand['engine'], string>> = {
  postgres: `${EVERYWHERE.replaceAll('SERIAL_KEY', 'serial PRIMARY KEY').replaceAll(/REFERENCES_ID\((\w+)\)/g, 'REFERENCES $1 (id)')}
    ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs (id) DEFERRABLE INITIALLY DEFERRED;
    CREATE TABLE tokens (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), of_customer int UNIQUE REFERENCES customers (id));
    CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
    CREATE TABLE folded (name text); CREATE UNIQUE INDEX ON folded (lower(name));
    CREATE TABLE moves (id bigserial, moved_on date NOT NULL, PRIMARY KEY (id, moved_on)) PARTITION BY RANGE (moved_on);
    CREATE TABLE moves_2025 PARTITION OF moves FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE SCHEMA other; CREATE TABLE other.customers (code char(4) PRIMARY KEY, note text);
    CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$;
    CREATE TRIGGER veto BEFORE DELETE ON days FOR EACH ROW EXECUTE FUNCTION veto();
    ALTER TABLE days ENABLE ALWAYS TRIGGER veto;
    CREATE TRIGGER veto BEFORE INSERT OR DELETE ON categories FOR EACH ROW EXECUTE FUNCTION veto();
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM customers;
    CREATE SEQUENCE free START WITH 70; SELECT nextval('free')`,
  mysql: mysqlSchema(),
  mariadb: `${mysqlSchema()};
    CREATE TABLE versioned (id int PRIMARY KEY) WITH SYSTEM VERSIONING;
    CREATE TABLE tokens (id uuid PRIMARY KEY)`,
}

function mysqlSchema(): string {
  const keys: string[] = []
  const tables = EVERYWHERE.replaceAll('""', '``')
    .replaceAll('"', '`')
    .replaceAll('SERIAL_KEY', 'int AUTO_INCREMENT PRIMARY KEY')
    // MySQL 8 ignores REFERENCES in a column definition.
    .replaceAll(/CREATE TABLE (\w+) \(.*?\);\n/g, (statement, table) =>
      statement.replaceAll(/(\w+)( int[\w ]*?) REFERENCES_ID\((\w+)\)/g, (_, column, type, to) => {
        keys.push(`ALTER TABLE ${table} ADD FOREIGN KEY (${column}) REFERENCES ${to} (id)`)
        return `${column}${type}`
      }),
    )
  return `${tables} ${keys.join('; ')}; ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs (id);
    CREATE TABLE hashes (id binary(16) PRIMARY KEY, name char(36) NOT NULL UNIQUE);
    CREATE TABLE audit (note text);
    CREATE TRIGGER audited AFTER INSERT ON customers FOR EACH ROW INSERT INTO ${NAME}.audit VALUES ('inserted');
    CREATE EVENT audited ON SCHEDULE EVERY 1 SECOND DISABLE DO INSERT INTO ${NAME}.audit VALUES ('an event')`
}

const OPTIONS: OwnOptions = {
  allow: [],
  rows: [1, 300],
  rounds: 2,
  leastRounds: 1,
  budgetMs: 40,
  remember: false,
  seed: 7,
  onProgress: () => {},
  onBlock: async () => {},
}

const LOCKS: Readonly<Record<ServerAtHand['engine'], object>> = {
  postgres: { delete: ['RowExclusiveLock'], truncate: ['AccessExclusiveLock', 'ShareLock'] },
  mysql: { delete: ['SHARED_WRITE'], truncate: ['EXCLUSIVE'] },
  // MariaDB reports locks only with performance_schema.
  mariadb: expect.toBeOneOf([{}, { delete: ['SHARED_WRITE'], truncate: ['EXCLUSIVE'] }]),
}

/** Creates database NAME with the schema as the user of the server's URL, and drops it after `body`. */
async function withSource(server: ServerAtHand, body: (source: ServerAtHand) => Promise<void>) {
  await withDatabaseOn(server, NAME, async (source) => {
    await ask(source, SCHEMAS[server.engine])
    await body(source)
  })
}

/** The complete content of the database, and the names of all other databases. */
async function stateOf(source: ServerAtHand) {
  const { engine, connection } = await open(source.url)
  try {
    const schema = await engine.introspect(connection)
    const files =
      source.engine === 'postgres'
        ? await ask(source, 'SELECT oid, relname, relfilenode, relhastriggers FROM pg_class ORDER BY oid')
        : await ask(source, `CHECK TABLE customers, orders`)
    const databases = (await engine.databases?.list(connection))?.map(({ name }) => name)
    return { schema, files, databases, rows: await engine.fingerprint(connection, schema) }
  } finally {
    await connection.close()
  }
}

/** The outcomes that have a reason, by table. */
function outcomesOf({ cells }: BenchResults): Map<string, string> {
  const outcomes = new Map<string, string>()
  for (const { case: name, ...cell } of cells) {
    const id = name.replace(/^table=/, '')
    const what = 'reason' in cell ? `${cell.method} ${cell.rows}: ${cell.outcome}, ${cell.reason}` : undefined
    outcomes.set(id, [outcomes.get(id), what].filter((text) => text !== undefined && text !== '').join('\n'))
  }
  return outcomes
}

for (const id of ['embedded:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('measures every table of a copy, or gives a reason, and leaves the database and the server unchanged', () =>
      withSource(server, async (source) => {
        const state = await stateOf(source)
        const blocks: BenchResults[] = []
        const results = await benchUserSchema(source.url, {
          ...OPTIONS,
          // Measuring the costs to remember takes seconds, so only one server does it.
          remember: id === 'embedded:18',
          onBlock: async (block) => {
            blocks.push(block)
          },
        })
        expect(await stateOf(source)).toEqual(state)
        expect(parseResults(JSON.stringify(results), 'it')).toEqual(results)
        expect(results.complete).toBe(true)
        expect(blocks.at(-1)).toEqual(results)
        expect(blocks[0]?.complete).toBe(false)
        expect(results.servers[0]?.locks).toEqual(LOCKS[server.engine])
        // Cells whose round takes longer than the budget have no wait.
        const waits = results.cells.flatMap((cell) => (cell.outcome === 'measured' ? cell.readerWaitMs : []))
        expect(waits).toContainEqual(expect.any(Number))
        expect(JSON.stringify(results)).not.toContain(new URL(server.url).password || 'no password')

        expect(results.cells).toHaveLength(state.schema.tables.length * 2 * OPTIONS.rows.length)
        const outcomes = outcomesOf(results)
        expect([...outcomes.keys()].sort()).toEqual(state.schema.tables.map(({ label }) => label).sort())
        const expected = new Map([...outcomes.keys()].map((label) => [label, '' as unknown]))
        expected.set(
          'refused',
          expect.stringMatching(/^delete 1: left out, no row could be generated: .*(check|constraint)/i),
        )
        if (outcomes.has('counted')) {
          expected.set('counted', expect.stringContaining('a materialized view'))
        }
        if (outcomes.has('versioned')) {
          expected.set(
            'versioned',
            expect.stringMatching(/^truncate 1: not possible.*\ntruncate 300: not possible/),
          )
        }
        // The rows generated within the budget may suffice.
        const days = outcomes.get('days')
        if (days !== '')
          expected.set('days', expect.stringMatching(/only \d+ rows could be made: nothing in \(day\)/))
        expect(outcomes).toEqual(expected)

        if (id !== 'embedded:18') return
        const { engine, connection } = await open(server.url)
        try {
          expect(await readServerCosts({ engine, connection })).toBeDefined()
        } finally {
          await connection.close()
        }
      }))

    it('resumes an interrupted run with the missing tables', () =>
      withSource(server, async (source) => {
        const options = { ...OPTIONS, tables: ['customers', 'orders', 'days'] }
        const first = await benchUserSchema(source.url, options)
        const cut = { ...first, cells: first.cells.filter((cell) => cell.case !== 'table=orders') }
        const lines: string[] = []
        const onProgress = (line: string) => void lines.push(line)
        const second = await benchUserSchema(source.url, { ...options, previous: cut, onProgress })
        const of = ({ cells }: BenchResults, table: string) =>
          cells.filter((cell) => cell.case === `table=${table}`)
        expect(of(second, 'customers')).toEqual(of(first, 'customers'))
        expect(of(second, 'days')).toEqual(of(first, 'days'))
        expect(of(second, 'orders')).toHaveLength(4)
        expect(of(second, 'orders')).not.toEqual(of(first, 'orders'))
        expect(second).toMatchObject({ date: first.date, complete: true })
        expect(lines.filter((line) => /^\d+\//.test(line))).toEqual([
          '1/1  orders, 1 row',
          expect.stringMatching(/^1\/1 {2}orders, 300 rows/),
        ])
      }))

    it('adds other numbers of rows to earlier results', () =>
      withSource(server, async (source) => {
        const options = { ...OPTIONS, tables: ['categories', 'orders'] }
        const first = await benchUserSchema(source.url, { ...options, rows: [1, 10] })
        const lines: string[] = []
        const onProgress = (line: string) => void lines.push(line)
        const more = { ...options, tables: ['orders'], rows: [10, 300], previous: first, onProgress }
        const second = await benchUserSchema(source.url, more)
        expect(second.cells.slice(0, first.cells.length)).toEqual(first.cells)
        expect(
          second.cells.slice(first.cells.length).map(({ case: id, rows, method }) => [id, rows, method]),
        ).toEqual([
          ['table=orders', 300, 'delete'],
          ['table=orders', 300, 'truncate'],
        ])
        expect(second.settings.rows).toEqual([1, 10, 300])
        expect(second.cases.map(({ label }) => label).sort()).toEqual(['categories', 'orders'])
        expect(lines.filter((line) => /^\d+\//.test(line))).toEqual(['1/1  orders, 300 rows'])
      }))

    it('stops when it is aborted, and leaves nothing behind', () =>
      withSource(server, async (source) => {
        const state = await stateOf(source)
        const controller = new AbortController()
        const onBlock = async () => controller.abort(new Error('enough'))
        const { signal } = controller
        await expect(benchUserSchema(source.url, { ...OPTIONS, onBlock, signal })).rejects.toThrow('enough')
        expect(await stateOf(source)).toEqual(state)
      }))

    it('rejects results of another database', () =>
      withSource(server, async (source) => {
        const options = { ...OPTIONS, tables: ['days'] }
        const first = await benchUserSchema(source.url, options)
        const previous = {
          ...first,
          servers: first.servers.map((server) => ({ ...server, title: 'another' })),
        }
        await expect(benchUserSchema(source.url, { ...options, previous })).rejects.toThrow(
          /The folder has results of other conditions: another at .* rather than .*somebodys_own/,
        )
      }))

    it('reports tables that do not exist', () =>
      withSource(server, async (source) => {
        await expect(benchUserSchema(source.url, { ...OPTIONS, tables: ['custmers'] })).rejects.toThrow(
          /custmers/,
        )
      }))

    it('refuses to run in production', async () => {
      const { NODE_ENV } = process.env
      process.env.NODE_ENV = 'production'
      try {
        await expect(benchUserSchema(server.url, OPTIONS)).rejects.toThrow(/NODE_ENV is "production"/)
      } finally {
        process.env.NODE_ENV = NODE_ENV
      }
    })
  })
}

describe('SQLite', () => {
  it('is rejected: it has no TRUNCATE to compare', async () => {
    await expect(benchUserSchema('sqlite::memory:', OPTIONS)).rejects.toThrow(
      /SQLite has no TRUNCATE.*\n.*DELETE/,
    )
  })
})

describeOn('embedded:18', (server) => {
  it('reports sessions that prevent the copy, and leaves nothing behind', () =>
    withSource(server, async (source) => {
      const visitor = new pg.Client({ connectionString: source.url })
      visitor.on('error', () => {})
      await visitor.connect()
      try {
        await expect(benchUserSchema(source.url, OPTIONS)).rejects.toThrow(
          /"somebodys_own" could not be copied.*process \d+, user .*End those sessions/s,
        )
      } finally {
        await visitor.end()
      }
      expect((await stateOf(source)).databases?.filter((name) => name.startsWith('afresh_bench_'))).toEqual(
        [],
      )
    }))

  it('keeps foreign key checks enabled for a role that may not disable them', async () => {
    await ask(server, `DROP ROLE IF EXISTS measurer; CREATE ROLE measurer LOGIN CREATEDB PASSWORD 'pw'`)
    const url = new URL(server.url)
    url.username = 'measurer'
    url.password = 'pw'
    await withSource({ ...server, url: url.toString() }, async (source) => {
      const tables = ['customers', 'orders', 'order_lines', 'categories', 'likes', 'hens', 'moves']
      const results = await benchUserSchema(source.url, { ...OPTIONS, rows: [1, 200], tables })
      const outcomes = outcomesOf(results)
      expect([...outcomes.keys()].sort()).toEqual(['customers', 'other.customers', ...tables.slice(1)].sort())
      for (const table of ['customers', 'orders', 'order_lines', 'categories', 'moves']) {
        expect([table, outcomes.get(table)]).toEqual([table, ''])
      }
      expect(outcomes.get('likes')).toMatch(/only \d+ rows could be made: nothing in \(customer, liked\)/)
      expect(outcomes.get('hens')).toMatch(/no row that it could refer to/)
    })
    await ask(server, 'DROP ROLE measurer')
  })
})

describeOn('postgres:18', (server) => {
  it('refuses a remote server unless exactly that server is allowed', () =>
    withSource(server, async (source) => {
      const [row] = await ask(
        server,
        'SELECT host(inet_server_addr()) AS host, system_identifier::text AS id FROM pg_control_system()',
      )
      const elsewhere = new URL(source.url)
      elsewhere.host = `${row?.host}:5432`
      const measure = (allow: string[]) =>
        benchUserSchema(elsewhere.toString(), { ...OPTIONS, allow, tables: ['nowhere'] })
      await expect(measure([`${row?.host}:5432#1`])).rejects.toThrow(RefusedError)
      await expect(measure([`${row?.host}:5432#${row?.id}`])).rejects.toThrow(/nowhere/)
    }))
})
