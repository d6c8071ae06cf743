import { expect, it } from 'vitest'
import { attach } from '../../src/index.ts'
import { describeSqlite } from '../support/sqlite.ts'

describeSqlite(({ open }) => {
  it.each([
    ['affinity', 'TEXT', 'INTEGER', `('5'), ('6')`, '(5)', '5', 1],
    ['affinity of whole keys', 'INTEGER', 'TEXT', '(5), (6)', `('5')`, 5, 1],
    ['collation', 'TEXT COLLATE NOCASE', 'TEXT', `('ab'), ('cd')`, `('AB')`, 'ab', 1],
  ])('compares like the key: %s (%s, %s)', async (_, parent, child, parents, children, erased, gone) => {
    const client = open(':memory:')
    client.exec(`CREATE TABLE p (k ${parent} PRIMARY KEY); CREATE TABLE c (k ${child} REFERENCES p (k));
      INSERT INTO p VALUES ${parents}; INSERT INTO c VALUES ${children}`)
    await using database = await attach(client)
    const report = await database.erase('p', [erased], { cascade: 'follow' })
    expect(report.tables.map(({ table, deleted }) => [table, deleted])).toEqual([
      ['c', gone],
      ['p', 1],
    ])
    expect(client.prepare('PRAGMA foreign_key_check').all()).toEqual([])
  })
})
