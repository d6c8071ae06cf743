import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { Bench, onEachServer } from './support.ts'

describe('clone', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    it('equals its template in definitions, rows and counters', async () => {
      const template = await bench.nasty()
      await bench.databases.freeze(bench.admin, template.name)
      const clone = await bench.clone(template.name)
      const schema = await bench.engine.introspect(template.connection)
      const copy = await bench.engine.introspect(clone.connection)
      expect({ ...copy, tables: copy.tables.map((table) => ({ ...table, schema: '' })) }).toEqual({
        ...schema,
        tables: schema.tables.map((table) => ({
          ...table,
          schema: '',
          // MariaDB names the schema of a sequence.
          columns: table.columns.map((column) => ({
            ...column,
            ...(column.default !== undefined && {
              default: column.default.replaceAll(template.name, clone.name),
            }),
          })),
        })),
        sequences: schema.sequences.map((sequence) => ({ ...sequence, schema: clone.name })),
      })
      expect(await bench.engine.fingerprint(clone.connection, copy)).toEqual(
        await bench.engine.fingerprint(template.connection, schema),
      )
      expect(await definitions(clone.connection)).toEqual(
        (await definitions(template.connection)).map((text) => text.replaceAll(template.name, clone.name)),
      )
      const entries = await bench.databases.list(bench.admin)
      expect(entries.find(({ name }) => name === template.name)?.frozen).toBe(true)
      expect(entries.find(({ name }) => name === clone.name)?.frozen).toBe(false)
    })

    it('leaves no partial copy if cloning fails', async () => {
      const { name, connection } = await bench.database(
        'CREATE TABLE t (id INT) ENGINE=MyISAM; CREATE TABLE merged (id INT) ENGINE=MERGE UNION=(t);',
      )
      const copy = bench.newName('half')
      await expect(bench.databases.clone(bench.admin, name, copy)).rejects.toThrow(/MERGE/)
      expect((await bench.databases.list(bench.admin)).map((entry) => entry.name)).not.toContain(copy)
      await connection.query('DROP TABLE merged')
    })

    it('clones 100 tables in reasonable time', async () => {
      const tables = Array.from(
        { length: 100 },
        (_, n) => `CREATE TABLE t${n} (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20), p INT, KEY (a)
          ${n === 0 ? '' : `, FOREIGN KEY (p) REFERENCES t${n - 1} (id)`}); INSERT INTO t${n} (a) VALUES ('x');`,
      )
      const { name } = await bench.database(tables.join('\n'))
      const started = performance.now()
      await bench.clone(name)
      const took = performance.now() - started
      expect(took).toBeLessThan(10_000)
    })
  })
})

/** The result of all SHOW CREATE statements, without the parts that necessarily differ. */
async function definitions(connection: Connection): Promise<string[]> {
  const objects = await connection.query(`
    SELECT 'TABLE' AS kind, table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'VIEW'
    UNION ALL SELECT 'VIEW', table_name FROM information_schema.views WHERE table_schema = DATABASE()
    UNION ALL SELECT 'TRIGGER', trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()
    UNION ALL SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()
    UNION ALL SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = DATABASE()
    ORDER BY 1, 2`)
  const texts: string[] = []
  for (const { kind, name } of objects) {
    const [row] = await connection.query(`SHOW CREATE ${kind} \`${String(name).replaceAll('`', '``')}\``)
    const { Created: _, ...rest } = row ?? {}
    texts.push(JSON.stringify(rest))
  }
  return texts
}
