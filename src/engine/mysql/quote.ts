/** Quotes an identifier. */
export function ident(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** Quotes a string for a session without NO_BACKSLASH_ESCAPES, which `session.ts` ensures. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

export function tableIn(database: string | undefined, name: string): string {
  return database === undefined ? ident(name) : `${ident(database)}.${ident(name)}`
}
