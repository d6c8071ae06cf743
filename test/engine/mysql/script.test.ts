import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bench, onEachServer } from './support.ts'

describe('scripts', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    it.each([
      'ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_german1_ci',
      'alter schema default character set = latin1 collate = latin1_german1_ci',
      '/*!50003 ALTER DATABASE COLLATE latin1_german1_ci*/',
      'ALTER /* not nowhere */ DATABASE -- but this one\n COLLATE latin1_german1_ci',
    ])('may alter the database that they fill without naming it: %s', async (sql) => {
      const { name } = await bench.database(`${sql};`)
      const rows = await bench.admin.query(
        'SELECT default_collation_name AS collation FROM information_schema.schemata WHERE schema_name = ?',
        [name],
      )
      expect(rows).toEqual([{ collation: 'latin1_german1_ci' }])
    })

    it.each([
      'ALTER DATABASE `character` CHARACTER SET latin1',
      'ALTER DATABASE character$et COLLATE latin1_german1_ci',
      'ALTER DATABASE charset COLLATE latin1_german1_ci',
      'ALTER DATABASE mysql CHARACTER SET latin1',
      'DROP/**/DATABASE nowhere',
      'DROP -- this one\n DATABASE nowhere',
      'CREATE # here\n SCHEMA nowhere',
      '/*!40000 DROP DATABASE IF EXISTS nowhere*/',
      'DROP /*!40000 DATABASE IF EXISTS*/ nowhere',
      'ALTER DATABASE /* it */ nowhere CHARACTER SET latin1',
      '/*+ c */ DROP DATABASE nowhere',
      '/*!40000*/ DROP DATABASE nowhere',
      '/*!40000 # c\n DROP DATABASE nowhere */',
      'ALTER DATABASE /*!99999 DEFAULT */ nowhere CHARACTER SET latin1',
    ])('may not change a database by its name: %s', async (sql) => {
      await expect(bench.database(`${sql};`)).rejects.toMatchObject({
        code: 'baseline',
        message: expect.stringMatching(/^test:1: the script makes or changes a database of its own/),
      })
    })
  })
})
