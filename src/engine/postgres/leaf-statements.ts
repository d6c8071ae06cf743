/**
 * A statement on a partitioned table opens and plans all of its partitions. The WAL names those that were
 * written: a statement for each of these costs what was written.
 */

/** Stand in for the partition in a statement: its name, and its oid. */
export const LEAF = '@afresh leaf@'
export const LEAF_OID = '@afresh leaf oid@'

/** An aggregate over the files that the WAL names. */
export const AS_LEAVES = 'array_agg(DISTINCT f.relation) FILTER (WHERE f.relation <> f.subject)'

/**
 * PL/pgSQL: the partitions that have to be restored are known, by the WAL or by a look at all. The WAL does
 * not name those with a new file.
 */
export const ARE_LEAVES_KNOWN = `leaves IS NOT NULL AND coalesce(cardinality(rewritten), 0) = 0`

/** SQL that puts a partition into a statement. */
export function onLeaf(
  statement: string,
  { name, oid }: { readonly name: string; readonly oid: string },
): string {
  return `replace(replace(${statement}, '${LEAF_OID}', ${oid}), '${LEAF}', ${name})`
}

/** Whether `statement` is this one, of any partition. */
export function isOnLeaf(template: string, statement: string): boolean {
  const [first = '', ...rest] = template.split(new RegExp(`${LEAF_OID}|${LEAF}`))
  let position = statement.startsWith(first) ? first.length : -1
  for (const part of rest) {
    if (position < 0) return false
    const found = statement.indexOf(part, position)
    position = found < 0 ? -1 : found + part.length
  }
  return position >= 0
}
