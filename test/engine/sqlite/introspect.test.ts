import { expect, it } from 'vitest'
import { sqlite } from '../../../src/engine/sqlite/index.ts'
import type { Schema } from '../../../src/schema/schema.ts'
import { describeSqlite } from '../../support/sqlite.ts'
import { NASTY } from './nasty.ts'

describeSqlite(({ open }) => {
  async function schemaOf(sql: string): Promise<Schema> {
    const client = open(':memory:')
    client.exec(sql)
    const connection = sqlite.wrap(client)
    if (connection === undefined) throw new Error('not recognised')
    const schema = await sqlite.introspect(connection)
    client.close()
    return schema
  }

  it('lists tables of main that store rows, without shadow tables and views of other tables', async () => {
    const { tables } = await schemaOf(NASTY)
    expect(tables.map(({ name }) => name)).toEqual(
      [
        ...[
          'audit',
          'backwards',
          'computed',
          'disguised',
          'document',
          'found',
          'heap',
          'hollow',
          'kept',
          'keyed',
        ],
        ...[
          'moved_on',
          'never_used',
          'note',
          'old_note',
          'order "x"',
          'place',
          'plainly',
          'ring_a',
          'ring_b',
        ],
        ...['strictly', 'translation'],
      ].sort(),
    )
  })

  it('reports traits, keys, generated columns and triggers of a table', async () => {
    const { tables } = await schemaOf(NASTY)
    const table = (name: string) => tables.find((candidate) => candidate.name === name)
    expect(tables.flatMap(({ name, traits }) => traits.map((trait) => `${name}: ${trait}`)).sort()).toEqual([
      'found: derived',
      'hollow: unreadable',
      'keyed: without-rowid',
    ])
    expect(table('keyed')?.primaryKey).toEqual(['lang', 'code'])
    expect(table('heap')?.primaryKey).toEqual([])
    expect(
      table('computed')
        ?.columns.filter(({ generated }) => generated)
        .map(({ name }) => name),
    ).toEqual(['twice', 'thrice'])
    // The trigger definitions write the table's name with other capitals.
    expect(table('order "x"')?.triggers).toEqual(['order_in', 'order_out'])
    // The user's temporary table of this name is ignored.
    expect(table('plainly')?.columns.map(({ name }) => name)).toEqual(['id', 'autoincrement'])
  })

  it('resolves foreign keys: composite, self, cycles, other capitals, implicit columns', async () => {
    const { foreignKeys } = await schemaOf(NASTY)
    expect(
      foreignKeys.map(
        ({ name, to, referencedColumns, onDelete, onUpdate }) =>
          `${name} -> ${to}(${referencedColumns.join(', ')}) ${onDelete}/${onUpdate}`,
      ),
    ).toEqual([
      'order "x"(parent) -> table:order "x"(id) cascade/no action',
      'ring_a(b) -> table:ring_b(id) restrict/no action',
      'ring_b(a) -> table:ring_a(id) no action/no action',
      'translation(lang, code) -> table:keyed(lang, code) set null/cascade',
    ])
  })

  it('omits a foreign key to a table that does not exist', async () => {
    const { foreignKeys } = await schemaOf('CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES nowhere)')
    expect(foreignKeys).toEqual([])
  })

  it('finds AUTOINCREMENT columns, with their positions', async () => {
    const { sequences } = await schemaOf(`${NASTY}; INSERT INTO moved_on (id) VALUES (500)`)
    expect(sequences.map(({ name, ownedBy, position }) => [name, ownedBy?.column, position.value])).toEqual([
      ['kept', 'id', 0n],
      ['moved_on', 'id', 500n],
      ['never_used', 'id', 0n],
      ['order "x"', 'id', 0n],
      ['ring_a', 'id', 0n],
    ])
  })

  it('accepts a database that never had an AUTOINCREMENT table, or any', async () => {
    expect((await schemaOf('CREATE TABLE a (b)')).sequences).toEqual([])
    expect(await schemaOf('')).toEqual({
      ...{ foldsTableNames: true, tables: [], foreignKeys: [], sequences: [] },
    })
  })
})
