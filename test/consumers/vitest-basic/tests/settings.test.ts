import { describe, expect, test } from 'vitest'
import { pool, rows, value } from '../src/shop.js'

const all = () => rows<{ name: string; value: string }>('SELECT name, value FROM settings ORDER BY name')
const BASELINE = [
  { name: 'currency', value: 'EUR' },
  { name: 'shipping', value: '4.90' },
]

// Each begins with what the others change.
describe.each(['insert', 'update', 'delete', 'truncate', 'rename', 'swap'])('%s', (what) => {
  const STATEMENTS: Record<string, string> = {
    insert: "INSERT INTO settings VALUES ('theme', 'dark')",
    update: "UPDATE settings SET value = value || '!'",
    delete: "DELETE FROM settings WHERE name = 'currency'",
    truncate: 'TRUNCATE settings',
    rename: "UPDATE settings SET name = 'delivery' WHERE name = 'shipping'",
    swap: "UPDATE settings SET value = CASE name WHEN 'currency' THEN '4.90' ELSE 'EUR' END",
  }

  test('in a statement', async () => {
    expect(await all()).toEqual(BASELINE)
    await pool.query(STATEMENTS[what] ?? '')
    expect(await all()).not.toEqual(BASELINE)
  })

  test('in a transaction, with a number', async () => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      expect((await client.query('SELECT name, value FROM settings ORDER BY name')).rows).toEqual(BASELINE)
      await client.query(STATEMENTS[what] ?? '')
      await client.query('COMMIT')
    } finally {
      client.release()
    }
    expect(await value("SELECT nextval('invoice_number')::int")).toBe(1002)
  })
})
