import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { eventually } from '../../support/eventually.ts'
import { describeOn, type ServerAtHand } from '../../support/servers.ts'
import { Bench } from './support.ts'

const SERVERS = [
  'mysql:9.7',
  'mariadb:11.8',
  'mariadb:10.11',
  'mysql:9.7-stock',
  'mariadb:11.8-stock',
] as const
const TABLES = 60

/** Enough tables for several sessions: a chain, its reverse by name, a star, a cycle and a self reference. */
function schemaSql(): string {
  const column = 'id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) UNIQUE, p INT, q INT'
  const key = (from: string, to: number) => `FOREIGN KEY (${from}) REFERENCES t${to} (id) ON DELETE CASCADE`
  const create = Array.from({ length: TABLES }, (_, n) => {
    const keys = [
      ...(n > 0 && n < 20 ? [key('p', n - 1)] : []),
      ...(n >= 20 && n < 39 ? [key('p', n + 1)] : []),
      ...(n >= 40 ? [key('p', 39)] : []),
      ...(n === 50 ? [key('q', 51)] : []),
      ...(n === 51 ? [key('q', 50)] : []),
      ...(n === 52 ? [key('q', 52)] : []),
    ]
    return `CREATE TABLE t${n} (${[column, ...keys].join(', ')});`
  })
  const fill = [0, 7, 39, 55].map((n) => `INSERT INTO t${n} (name) VALUES ('first'), ('second');`)
  return ['SET foreign_key_checks = 0;', ...create, ...fill, 'SET foreign_key_checks = 1;'].join('\n')
}

async function keysOf(connection: Connection): Promise<unknown[]> {
  return connection.query(
    `SELECT table_name AS \`from\`, constraint_name AS name, referenced_table_name AS \`to\`, delete_rule AS rule
     FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE() ORDER BY 1, 2`,
  )
}

function tests(server: ServerAtHand): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.on(server)
  })
  afterAll(() => bench.close())

  const count = async (variable: string) => {
    const [row] = await bench.admin.query(`SHOW GLOBAL STATUS LIKE '${variable}'`)
    return Number(row?.Value)
  }

  it('carries foreign keys along, in several copies at once', async () => {
    const { name, connection } = await bench.database(schemaSql())
    const expected = await keysOf(connection)
    expect(expected).toHaveLength(19 + 19 + 20 + 3)
    const copies = await Promise.all(Array.from({ length: 3 }, () => bench.clone(name)))
    for (const copy of copies) {
      expect(await keysOf(copy.connection)).toEqual(expected)
      await expect(copy.connection.query('INSERT INTO t20 (p) VALUES (999)')).rejects.toThrow(/foreign key/i)
      await expect(copy.connection.query("INSERT INTO t39 (name) VALUES ('first')")).rejects.toThrow(
        /duplicate/i,
      )
      await copy.connection.query(`INSERT INTO t41 (p) VALUES (1); DELETE FROM t39 WHERE id = 1`)
      expect(await copy.connection.query('SELECT id FROM t41')).toEqual([])
      expect(await copy.connection.query('SELECT id, name FROM t55 ORDER BY id')).toEqual([
        { id: 1, name: 'first' },
        { id: 2, name: 'second' },
      ])
    }
  })

  it('reads a complete template once, and any other one each time', async () => {
    const { name, connection } = await bench.database(schemaSql())
    await bench.clone(name)
    await connection.query('ALTER TABLE t3 ADD COLUMN extra INT')
    const second = await bench.clone(name)
    expect(await second.connection.query("SHOW COLUMNS FROM t3 LIKE 'extra'")).toHaveLength(1)

    await bench.databases.freeze(bench.admin, name)
    await bench.clone(name)
    const before = await count('Com_show_create_table')
    const last = await bench.clone(name)
    expect(await count('Com_show_create_table')).toBe(before)
    expect(await last.connection.query('SELECT name FROM t7 ORDER BY id')).toHaveLength(2)
  })

  it('reads a template that was built again under the same name', async () => {
    const { name } = await bench.database('CREATE TABLE old (id INT)')
    await bench.databases.freeze(bench.admin, name)
    await bench.clone(name)
    const [row] = await bench.admin.query('SELECT mark FROM afresh_registry.marks WHERE database_name = ?', [
      name,
    ])
    await bench.databases.drop(bench.admin, name, String(row?.mark))
    await bench.database('CREATE TABLE young (id INT)', name)
    await bench.databases.freeze(bench.admin, name)
    const { connection } = await bench.clone(name)
    expect(await connection.query("SHOW TABLES LIKE 'young'")).toHaveLength(1)
  })

  it('ends the other sessions, names the table and leaves nothing if one of them fails', async () => {
    const { name, connection } = await bench.database(schemaSql())
    await bench.databases.freeze(bench.admin, name)
    await bench.clone(name)
    await connection.query('SET foreign_key_checks = 0; DROP TABLE t7')
    // Reading this table waits for the lock: the first message of one session.
    await connection.query('LOCK TABLES t0 WRITE')
    const copy = bench.newName('half')
    const before = await count('Com_kill')
    try {
      const failure = await bench.databases.clone(bench.admin, name, copy).catch((error: unknown) => error)
      expect(String(failure)).toMatch(/t7.*doesn't exist\n {2}INSERT INTO `t7`/)
      expect(await count('Com_kill')).toBeGreaterThan(before)
    } finally {
      await connection.query('UNLOCK TABLES')
    }
    expect((await bench.databases.list(bench.admin)).map((entry) => entry.name)).not.toContain(copy)
    // A server notices a closed connection late.
    await eventually(async () => {
      const sessions = await bench.admin.query(
        `SELECT id FROM information_schema.processlist WHERE db = '${copy}'`,
      )
      return sessions.length === 0 || undefined
    })
  })

  it('makes do with the connections that its user may open', async () => {
    const { name } = await bench.database(schemaSql())
    const admin = bench.admin
    const [user, all] = ['afresh_few', '`afresh\\_%`.*']
    await admin.query(
      `CREATE USER ${user} IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 2; GRANT ALL ON ${all} TO ${user}`,
    )
    const url = Object.assign(new URL(bench.urlOf('information_schema')), { username: user, password: 'few' })
    const few = await bench.engine.connect(url.toString())
    try {
      const copy = bench.newName('few')
      await bench.databases.clone(few, name, copy)
      const [row] = await admin.query(
        `SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = '${copy}'`,
      )
      expect(Number(row?.n)).toBe(TABLES)
    } finally {
      await few.close()
      await admin.query(`DROP USER ${user}`)
    }
  })
}

describe('a copy by several sessions', () => {
  for (const id of SERVERS) describeOn(id, tests)
})
