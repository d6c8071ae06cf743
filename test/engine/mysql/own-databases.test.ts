import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { grantsOn, regrant } from '../../../src/engine/mysql/grants.ts'
import { BASELINE_PREFIX, shortHash } from '../../../src/engine/mysql/ownership.ts'
import { provision } from '../../../src/engine/mysql/provision.ts'
import { makeWritable } from '../../../src/engine/mysql/writable.ts'
import { Bench, onEachServer } from './support.ts'

const ROWS = 'CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)'
/** Fails as the proof of a claim does. */
const NO_PROOF = ['SELECT (SELECT 1 UNION SELECT 2) AS owned']

describe('databases that afresh created for itself', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    const marksOf = (name: string) =>
      bench.admin.query(`SELECT mark FROM afresh_registry.marks WHERE database_name = '${name}'`)

    /** The copy that the baseline of this session has, and a server that was restarted may have kept. */
    async function copyNameOf(connection: Connection, database: string): Promise<string> {
      const [row] = await connection.query('SELECT CONNECTION_ID() AS id')
      return `${BASELINE_PREFIX}${shortHash(database)}_${row?.id}`
    }

    it('replaces a copy of the baseline that an ended session with the same id left', async () => {
      const { connection, name } = await bench.database(ROWS)
      const copy = await copyNameOf(connection, name)
      await provision(bench.admin, copy)
      const { resetter } = await bench.prepare(connection, undefined)
      await connection.query('DELETE FROM t')
      await resetter.reset()
      expect(await connection.query('SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }])
      await resetter.close()
      expect(await bench.admin.query(`SHOW DATABASES LIKE '${copy}'`)).toEqual([])
      expect(await marksOf(copy)).toEqual([])
    })

    it('leaves an unmarked database of that name alone', async () => {
      const { connection, name } = await bench.database(ROWS)
      const copy = await copyNameOf(connection, name)
      await bench.admin.query(`CREATE DATABASE ${copy}`)
      try {
        await bench.admin.query(`CREATE TABLE ${copy}.theirs (id INT)`)
        await expect(bench.prepare(connection, undefined)).rejects.toThrow(/database exists/)
        expect(await marksOf(copy)).toEqual([])
        expect(await bench.admin.query(`SELECT * FROM ${copy}.theirs`)).toEqual([])
      } finally {
        await bench.admin.query(`DROP DATABASE ${copy}`)
      }
    })

    it('marks a database that another session drops just before it is created', async () => {
      const name = bench.newName('raced')
      await bench.admin.query(`CREATE DATABASE ${name}`)
      const racing = new Proxy(bench.admin, {
        get(target, key) {
          const member: unknown = Reflect.get(target, key)
          if (key !== 'query' || typeof member !== 'function') return member
          return async (sql: string) => {
            const rows = await target.query(sql)
            if (sql.includes('information_schema.schemata')) await target.query(`DROP DATABASE ${name}`)
            return rows
          }
        },
      })
      const mark = await provision(racing, name)
      expect(await marksOf(name)).toEqual([{ mark }])
    })

    it('lists templates in the order in which they were made', async () => {
      const names = ['c', 'a', 'b'].map((letter) => bench.newName(`order_${letter}`))
      for (const name of names) {
        await bench.databases.create(bench.admin, name)
        await bench.databases.freeze(bench.admin, name)
      }
      const listed = (await bench.databases.list(bench.admin)).map(({ name }) => name)
      expect(listed.filter((name) => names.includes(name))).toEqual(names)
    })

    it('passes a failed proof on, rather than reporting a missing privilege', async () => {
      const { connection, name } = await bench.database(ROWS)
      const before = await grantsOn(connection)
      await bench.admin.query(`CREATE USER afresh_proof; GRANT SELECT ON ${name}.* TO afresh_proof`)
      try {
        await expect(regrant(connection, before, NO_PROOF)).rejects.toMatchObject({ errno: 1242, index: 0 })
        if (server.engine === 'mysql') {
          await bench.admin.query(`ALTER DATABASE ${name} READ ONLY = 1`)
          await expect(makeWritable(connection, name, NO_PROOF)).rejects.toMatchObject({
            errno: 1242,
            index: 0,
          })
          await bench.admin.query(`ALTER DATABASE ${name} READ ONLY = 0`)
        }
      } finally {
        await bench.admin.query('DROP USER afresh_proof')
      }
    })
  })
})
