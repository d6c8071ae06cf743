import type { Table } from '../../schema/schema.ts'

/** A name as SQL. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL; independent of `standard_conforming_strings`. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? `E${quoted}` : quoted
}

export function qualified({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${ident(schema)}.${ident(name)}`
}

/** The table without its inheritance children; a partitioned table with its partitions, which hold its rows. */
export function only(table: Table): string {
  return table.traits.includes('partitioned') ? qualified(table) : `ONLY ${qualified(table)}`
}
