import type { Table } from '../../schema/schema.ts'

/** Quotes an identifier. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal, independent of `standard_conforming_strings`. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? `E${quoted}` : quoted
}

export function qualified({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${ident(schema)}.${ident(name)}`
}

/** A table without inheritance children; a partitioned table with its partitions, which hold its rows. */
export function only(table: Table): string {
  return table.traits.includes('partitioned') ? qualified(table) : `ONLY ${qualified(table)}`
}

/** Dollar-quotes a body, with a tag that the body does not contain. */
export function dollar(body: string): string {
  let tag = '$afresh$'
  for (let i = 0; body.includes(tag); i++) tag = `$afresh${i}$`
  return `${tag}${body}${tag}`
}
