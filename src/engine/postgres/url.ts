/** psql asks for a password that its URL omits. */
export function withoutPassword(url: string): string {
  const other = new URL(url)
  other.password = ''
  return other.toString()
}

/** The URL of another database on the same server. */
export function urlOf(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${encodeURIComponent(database)}`
  return other.toString()
}
