import type { Sequence } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import { flavorOf } from './flavor-of.ts'
import { tableId } from './introspect-keys.ts'
import { ident } from './quote.ts'

interface Columns {
  readonly schema: string
  readonly columns: ReadonlyMap<string, readonly Row[]>
}

/** The sequence objects, given their rows of the catalog. */
export async function sequencesOf(
  connection: Connection,
  listed: readonly Row[],
  { schema, columns }: Columns,
): Promise<Sequence[]> {
  const { sequences } = await flavorOf(connection)
  if (sequences === undefined || listed.length === 0) return []
  const rows = await connection.query(sequences.catalog(listed.map(({ name }) => String(name))))
  return rows.flatMap((row) => {
    const entry = listed[Number(row.ordinal)]
    if (entry === undefined) return []
    const name = String(entry.name)
    const parsed = sequences.parse(name, row, schema)
    // The columns of a sequence have its data type (since 11.5).
    const types = (columns.get(name) ?? []).map(({ type }) => String(type))
    return [
      {
        ...parsed,
        definition: `${parsed.definition} ${[...new Set(types)].join(' ')} ${String(entry.text)}`,
      },
    ]
  })
}

/** The AUTO_INCREMENT counter of a table. */
export function counterFrom(row: Row, { schema, columns }: Columns): Sequence[] {
  const name = String(row.name)
  const column = columns.get(name)?.find(({ extra }) => /auto_increment/i.test(String(extra)))
  if (column === undefined) return []
  return [
    {
      id: `auto_increment ${ident(name)}`,
      schema,
      name,
      label: `${name}.${String(column.name)}`,
      kind: 'auto-increment',
      ownedBy: { table: tableId(name), column: String(column.name) },
      start: 1n,
      increment: 1n,
      min: 1n,
      max: largest(String(column.type)),
      cache: 1n,
      position: { value: BigInt(String(row.next ?? 1)), called: false },
    },
  ]
}

const BITS: Readonly<Record<string, bigint>> = {
  tinyint: 8n,
  smallint: 16n,
  mediumint: 24n,
  int: 32n,
  bigint: 64n,
}

function largest(type: string): bigint {
  const bits = BITS[/^\w+/.exec(type)?.[0] ?? '']
  // FLOAT and DOUBLE may be AUTO_INCREMENT as well, exact up to 2^24 and 2^53.
  if (bits === undefined) return 1n << (type.startsWith('float') ? 24n : 53n)
  return (1n << (type.includes('unsigned') ? bits : bits - 1n)) - 1n
}
