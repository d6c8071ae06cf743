import { spawn } from 'node:child_process'
import pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { builtCli, CLI_MAIN } from '../support/cli.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
beforeAll(async () => {
  afresh = await builtCli()
})

const SCHEMA = `
  CREATE TABLE country (code varchar(2) PRIMARY KEY, name varchar(40) NOT NULL);
  CREATE TABLE customer (id serial PRIMARY KEY, country varchar(2) NOT NULL REFERENCES country (code));
  CREATE TABLE orders (id serial PRIMARY KEY, customer integer NOT NULL REFERENCES customer (id), parent integer REFERENCES orders (id));
  CREATE TABLE schema_migrations (version varchar(20) PRIMARY KEY);
  CREATE SEQUENCE invoice_number START WITH 5000;
  INSERT INTO country VALUES ('de', 'Germany'), ('pl', 'Poland');
  INSERT INTO customer (country) VALUES ('de'), ('pl'), ('pl');
  INSERT INTO orders (customer) VALUES (1), (2);
  SELECT nextval('invoice_number');
`

describeOn('embedded:18', (server) => {
  let url = ''
  const db = () => ({ engine: 'postgres', url })

  beforeEach(async () => {
    const name = `shop_${Math.random().toString(36).slice(2, 10)}`
    await ask(server, `CREATE DATABASE ${name}`)
    url = Object.assign(new URL(server.url), { pathname: `/${name}` }).toString()
    await ask(db(), SCHEMA)
  })
  afterEach(async () => {
    await ask(server, `DROP DATABASE ${name()} WITH (FORCE)`)
  })

  const name = () => new URL(url).pathname.slice(1)

  /** Everything in the database that afresh could have changed: rows, sequences, definitions, comments. */
  async function everything(): Promise<unknown> {
    const tables = await ask(
      db(),
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace ORDER BY 1`,
    )
    const rows = []
    for (const table of tables) rows.push(await ask(db(), `SELECT * FROM ${table.name} ORDER BY 1`))
    return [
      tables,
      rows,
      await ask(
        db(),
        `SELECT oid, xmin::text, relname, relnamespace::regnamespace::text FROM pg_class WHERE oid >= 16384 ORDER BY oid`,
      ),
      await ask(
        db(),
        `SELECT xmin::text, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()`,
      ),
      await ask(db(), 'SELECT objoid, description FROM pg_description WHERE objoid >= 16384'),
    ]
  }

  async function adopted(): Promise<void> {
    const { stdout } = await afresh(['doctor', '--url', url, '--json'])
    const { code } = await afresh([
      'adopt',
      '--url',
      url,
      '--confirm',
      JSON.parse(stdout).database.confirmation,
    ])
    expect(code).toBe(0)
  }

  describe('plan', () => {
    it('shows the order, and changes nothing in an unmarked database', async () => {
      const before = await everything()
      const { code, stdout } = await afresh(['plan', '--url', url])
      expect(code).toBe(0)
      const positionOf = (table: string) => stdout.search(new RegExp(`\\d  ${table}`))
      expect(positionOf('orders')).toBeLessThan(positionOf('customer'))
      expect(positionOf('customer')).toBeLessThan(positionOf('country'))
      expect(stdout).toContain('orders ↺')
      expect(stdout).toContain('no ownership mark')
      expect(await everything()).toEqual(before)
    })

    it('shows the statements with --sql', async () => {
      expect((await afresh(['plan', '--url', url])).stdout).not.toContain('DELETE FROM')
      expect((await afresh(['plan', '--url', url, '--sql'])).stdout).toContain('DELETE FROM')
    })

    it('shows the row count from which a table is truncated, and its source', async () => {
      await ask(db(), 'CREATE TABLE note (id int)')
      const { stdout } = await afresh(['plan', '--url', url], { env: { AFRESH_CACHE_DIR: '/nowhere' } })
      expect(stdout).toMatch(
        /delete from note +its baseline is empty; TRUNCATE above \d+ rows or \d+ KiB of dead ones \(1 file\)/,
      )
      expect(stdout).toMatch(/costs +not measured on this server/)
    })

    it('prints one JSON document with the statements', async () => {
      const { code, stdout } = await afresh(['plan', '--url', url, '--json', '--keep', 'schema_*'])
      const plan = JSON.parse(stdout)
      expect(code).toBe(0)
      expect(plan).toMatchObject({
        database: name(),
        marked: false,
        order: [['orders'], ['customer'], ['country']],
        selfReferencing: ['orders'],
        kept: [{ table: 'schema_migrations', reason: 'named in `keep`' }],
        tablesWithRows: ['country', 'customer', 'orders'],
      })
      for (const step of plan.steps) {
        expect(step).toMatchObject({
          reason: expect.any(String),
          when: expect.any(Array),
          sql: expect.stringMatching(/\w/),
        })
      }
    })

    it('reports a kept table that does not exist', async () => {
      const { code, stderr } = await afresh(['plan', '--url', url, '--keep', 'custommer'])
      expect(code).toBe(2)
      expect(stderr).toContain('custommer')
    })

    it('exits normally when the reader has closed the pipe', async () => {
      const before = await everything()
      const shell = spawn('bash', [
        '-c',
        `"$0" "$1" plan --url "$2" --json | head -1; exit "\${PIPESTATUS[0]}"`,
        process.execPath,
        CLI_MAIN,
        url,
      ])
      const output: Buffer[] = []
      shell.stderr.on('data', (chunk: Buffer) => output.push(chunk))
      const code = await new Promise((resolve) => shell.once('close', resolve))
      expect(Buffer.concat(output).toString()).toBe('')
      expect(code).toBe(0)
      expect(await everything()).toEqual(before)
    })
  })

  describe('reset', () => {
    it('empties a marked database and restarts its sequences', async () => {
      await adopted()
      const { code, stdout } = await afresh(['reset', '--url', url, '--json'])
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ detector: 'scan', durationMs: expect.any(Number) })
      expect(JSON.parse(stdout).dirty.toSorted()).toEqual(
        ['country', 'customer', 'customer_id_seq', 'invoice_number', 'orders', 'orders_id_seq'].toSorted(),
      )
      expect(
        await ask(
          db(),
          'SELECT 1 FROM country UNION ALL SELECT 1 FROM customer UNION ALL SELECT 1 FROM orders',
        ),
      ).toEqual([])
      expect(await ask(db(), `SELECT nextval('orders_id_seq') AS o, nextval('invoice_number') AS i`)).toEqual(
        [{ o: '1', i: '5000' }],
      )
    })

    it('leaves kept tables alone, and says when there is nothing to do', async () => {
      await adopted()
      expect((await afresh(['reset', '--url', url, '--keep', 'country,schema_migrations'])).stdout).toMatch(
        /^Emptied in /,
      )
      expect(await ask(db(), 'SELECT code FROM country ORDER BY 1')).toEqual([{ code: 'de' }, { code: 'pl' }])
      expect(await ask(db(), 'SELECT code FROM country ORDER BY 1')).toHaveLength(2)
      const again = await afresh(['reset', '--url', url, '--keep', 'country'])
      expect(again.stdout).toContain('empty and every sequence at its start already')
    })

    it.each(['delete', 'truncate'])('does so with strategy %s', async (strategy) => {
      await adopted()
      const { code, stdout } = await afresh(['reset', '--url', url, '--json', '--strategy', strategy])
      expect(code).toBe(0)
      const kinds = JSON.parse(stdout).steps.map(({ kind }: { kind: string }) => kind)
      expect(new Set(kinds)).toEqual(new Set([strategy, 'restart']))
      expect(await ask(db(), 'SELECT FROM orders')).toEqual([])
    })

    it('changes nothing in a dry run', async () => {
      await adopted()
      const before = await everything()
      const { code, stdout } = await afresh(['reset', '--url', url, '--dry-run'])
      expect(code).toBe(0)
      expect(stdout).toContain('nothing was changed')
      expect(await everything()).toEqual(before)
    })

    it('refuses to empty the tables of a migration tool', async () => {
      await adopted()
      await ask(db(), `INSERT INTO schema_migrations VALUES ('20260101')`)
      const before = await everything()
      const { code, stderr } = await afresh(['reset', '--url', url])
      expect(code).toBe(2)
      expect(stderr).toContain('--keep schema_migrations')
      expect(await everything()).toEqual(before)
      expect((await afresh(['reset', '--url', url, '--empty'])).code).toBe(0)
      expect(await ask(db(), 'SELECT FROM schema_migrations')).toEqual([])
    })

    it('fails within bounded time, and names the blocking session', async () => {
      await adopted()
      const holder = new pg.Client({ connectionString: url, application_name: 'the holder' })
      await holder.connect()
      try {
        await holder.query('BEGIN; LOCK TABLE orders')
        for (const command of ['plan', 'adopt']) {
          const { code, stdout } = await afresh([command, '--url', url, '--json'])
          expect(code).toBe(1)
          expect(JSON.parse(stdout).error).toMatchObject({
            code: 'blocked',
            next: expect.stringContaining('the holder'),
          })
        }
        await holder.query('ROLLBACK; BEGIN; UPDATE orders SET parent = id')
        const written = await afresh(['reset', '--url', url, '--json'])
        expect(written.code).toBe(1)
        expect(JSON.parse(written.stdout).error).toMatchObject({
          code: 'blocked',
          next: expect.stringContaining('the holder'),
        })
        await holder.query('ROLLBACK')
        expect((await holder.query('SELECT FROM orders')).rowCount).toBe(2)
      } finally {
        await holder.end()
      }
      expect((await afresh(['reset', '--url', url])).code).toBe(0)
    })
  })

  describe('refused with exit code 3, database unchanged', () => {
    async function refused(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
      const before = await everything()
      const plain = await afresh(args, { env })
      expect(plain).toMatchObject({ code: 3, stdout: '' })
      const json = await afresh([...args, '--json'], { env })
      expect(json.code).toBe(3)
      expect(JSON.parse(json.stdout).error).toMatchObject({ code: 'refused', next: expect.any(String) })
      expect(await everything()).toEqual(before)
      return plain.stderr
    }

    it('reset of a database with rows and no mark', async () => {
      expect(await refused(['reset', '--url', url])).toMatch(/^Refused: .*rows in country, customer, orders/)
    })

    it('reset of an empty database without a mark', async () => {
      await ask(db(), 'TRUNCATE country, customer, orders')
      expect(await refused(['reset', '--url', url])).toContain('no mark')
    })

    it('a mark of another database', async () => {
      await ask(db(), `COMMENT ON DATABASE ${name()} IS 'afresh:v1:1:1:0123456789abcdef'`)
      expect(await refused(['reset', '--url', url])).toContain('another database')
    })

    it('reset and adopt with NODE_ENV=production', async () => {
      await adopted()
      expect(await refused(['reset', '--url', url], { NODE_ENV: 'production' })).toContain('production')
      expect(await refused(['adopt', '--url', url], { NODE_ENV: 'production' })).toContain('production')
    })

    it('reset and adopt of a database with a session of another user', async () => {
      await adopted()
      await ask(server, `CREATE ROLE intruder LOGIN PASSWORD 'pw'`)
      const client = new pg.Client({
        connectionString: Object.assign(new URL(url), { username: 'intruder', password: 'pw' }).toString(),
      })
      await client.connect()
      try {
        expect(await refused(['reset', '--url', url])).toContain('intruder')
        expect(await refused(['adopt', '--url', url])).toContain('intruder')
      } finally {
        await client.end()
        await ask(server, 'DROP ROLE intruder')
      }
    })

    it('adopt without a terminal, and with a confirmation for another database', async () => {
      expect(await refused(['adopt', '--url', url])).toContain('terminal')
      expect(await refused(['adopt', '--url', url, '--confirm', `${name()}#1`])).toContain(
        'not what it is called',
      )
      expect(await refused(['adopt', '--url', url, '--confirm', 'yes'])).not.toMatch(/#\d{10}/)
    })
  })

  describe('adopt', () => {
    it('marks a database after the right confirmation, and says if it already had a mark', async () => {
      await adopted()
      const { code, stdout } = await afresh(['adopt', '--url', url, '--json'])
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toEqual({
        engine: 'PostgreSQL',
        database: name(),
        tablesWithRows: ['country', 'customer', 'orders'],
        wasMarked: true,
      })
      expect((await afresh(['plan', '--url', url, '--json'])).stdout).toContain('"marked": true')
    })
  })

  describe('a URL that cannot be connected to', () => {
    const wrong = (change: Partial<URL>) => Object.assign(new URL(url), change).toString()

    it.each(['plan', 'reset', 'adopt', 'doctor'])('%s reports the cause', async (command) => {
      const closed = await afresh([command, '--url', wrong({ port: '1' })])
      expect(closed).toMatchObject({ code: 1, stdout: '' })
      expect(closed.stderr).toMatch(/No server is listening at 127\.0\.0\.1:1/)
      const missing = await afresh([command, '--url', wrong({ pathname: '/nosuch' })])
      expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('no database "nosuch"') })
      const password = await afresh([command, '--url', wrong({ password: 'wr0ng' })])
      expect(password).toMatchObject({ code: 1, stderr: expect.stringContaining('does not let') })
      expect(password.stderr).not.toContain('wr0ng')
    })
  })

  describe('doctor --url', () => {
    it('reports the privileges of the role and the identity of the server', async () => {
      const { code, stdout } = await afresh(['doctor', '--url', url, '--json'])
      expect(code).toBe(0)
      expect(JSON.parse(stdout).database).toMatchObject({
        engine: 'PostgreSQL',
        database: name(),
        fingerprint: expect.stringMatching(/^127\.0\.0\.1:\d+#\d+$/),
        mayCreateDatabases: true,
        mayDisableChecks: true,
        standby: false,
        marked: false,
        tables: 4,
        tablesWithRows: 3,
      })
    })
  })
})

/** A role that may not create databases, and the statement that permits it to. */
const POWERLESS = {
  'embedded:18': {
    create: `DROP ROLE IF EXISTS powerless; CREATE ROLE powerless LOGIN PASSWORD 'pw'`,
    grant: 'ALTER ROLE … CREATEDB',
  },
  'mysql:9.7': {
    create: `DROP USER IF EXISTS powerless; CREATE USER powerless IDENTIFIED BY 'pw'; GRANT SELECT ON *.* TO powerless`,
    grant: 'GRANT ALL ON `afresh\\_%`.* TO …',
  },
} as const

for (const id of ['embedded:18', 'mysql:9.7'] as const) {
  describeOn(id, (server) => {
    it('doctor --url says how a role gets the privilege to create databases', () =>
      withDatabaseOn(server, 'doctor_grant', async (db) => {
        await ask(server, POWERLESS[id].create)
        const url = Object.assign(new URL(db.url), { username: 'powerless', password: 'pw' })
        const { stdout } = await afresh(['doctor', '--url', url.toString(), '--json'])
        expect(JSON.parse(stdout)).toMatchObject({
          database: { mayCreateDatabases: false },
          problems: expect.arrayContaining([expect.stringContaining(POWERLESS[id].grant)]),
        })
      }))
  })
}

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('runs plan, adopt and reset', () =>
      withDatabaseOn(server, 'shop_cli', async (db) => {
        const { url } = db
        await ask(
          db,
          `CREATE TABLE customer (id int AUTO_INCREMENT PRIMARY KEY);
           CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, customer int NOT NULL, FOREIGN KEY (customer) REFERENCES customer (id)) AUTO_INCREMENT = 100;
           INSERT INTO customer VALUES (), (); INSERT INTO orders (customer) VALUES (1), (2);`,
        )
        const plan = await afresh(['plan', '--url', url, '--json'])
        expect(JSON.parse(plan.stdout)).toMatchObject({ marked: false, order: [['orders'], ['customer']] })
        expect((await afresh(['reset', '--url', url])).code).toBe(3)
        expect(await ask(db, 'SELECT id FROM orders')).toHaveLength(2)

        const doctor = await afresh(['doctor', '--url', url, '--json'])
        const { confirmation } = JSON.parse(doctor.stdout).database
        expect((await afresh(['adopt', '--url', url, '--confirm', confirmation])).code).toBe(0)
        expect(await afresh(['reset', '--url', url])).toMatchObject({ code: 0, stderr: '' })
        await ask(db, 'INSERT INTO customer VALUES ()')
        expect(await ask(db, 'SELECT id FROM customer')).toEqual([{ id: 1 }])
        expect(await ask(db, 'SELECT id FROM orders')).toEqual([])
      }))
  })
}
