import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bench, onEachServer } from './support.ts'

/** So many that `auto` measures whether the counts are cheaper than a scan, and that they are locked in parts. */
const TABLES = 320

describe('many tables', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    it('are restored by whatever is cheaper, and never all open at once', async () => {
      const { connection, name } = await bench.database(
        Array.from(
          { length: TABLES },
          (_, n) => `CREATE TABLE t${n} (id INT AUTO_INCREMENT PRIMARY KEY, v INT);`,
        ).join('\n'),
      )
      const { resetter } = await bench.prepare(connection, undefined)
      const writer = await bench.connect(name)
      for (const table of ['t0', 't150', `t${TABLES - 1}`]) {
        await writer.query(`INSERT INTO ${table} (v) VALUES (1)`)
        const { dirty } = await resetter.reset()
        expect([...dirty].sort()).toEqual([`\`${table}\``, `auto_increment \`${table}\``])
      }
      await writer.query(`START TRANSACTION; INSERT INTO t${TABLES - 1} (v) VALUES (1)`)
      const scan = resetter.detect('scan')
      await writer.query('DO SLEEP(0.3); COMMIT')
      expect(await scan).toContain(`\`t${TABLES - 1}\``)
      await resetter.close()
    })
  })
})
