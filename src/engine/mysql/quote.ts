/** A name as SQL. */
export function ident(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** A text as SQL, for a session without NO_BACKSLASH_ESCAPES (`session.ts` sees to that). */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** A table of this database, or of another one. */
export function tableIn(database: string | undefined, name: string): string {
  return database === undefined ? ident(name) : `${ident(database)}.${ident(name)}`
}
