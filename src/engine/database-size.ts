/** How large a database is. */
export interface DatabaseSize {
  readonly bytes: number
  /** As the server estimates them. */
  readonly rows: number
  /** What copying that much may take: a rough guess, by what it takes elsewhere. */
  readonly seconds: number
}
