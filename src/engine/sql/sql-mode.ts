const MENTIONED = /sql_mode/i
const ASSIGNMENTS =
  /(?:@(?<variable>\w+)|(?<![@\w]|\b(?:global|persist|persist_only)\s*[.\s]\s*)(?:@@)?(?:(?:session|local)\s*[.\s]\s*)?(?<mode>sql_mode))\s*:?=\s*(?<value>(?:'[^']*'|"[^"]*"|\([^()]*\)|[^,'"()])+)/gi
const FORBIDS = /no_backslash_escapes/i
const OF_SESSION = /@@(?:session\s*\.\s*|local\s*\.\s*)?sql_mode/i

/** Tracks across statements whether a backslash is an escape: dumps set `sql_mode` and restore it. */
export interface EscapeMode {
  readonly escapes: boolean
  read(sql: string | undefined): void
}

export function escapesAfter(initial: boolean): EscapeMode {
  let escapes = initial
  const saved = new Map<string, boolean>()

  const read = (sql = ''): void => {
    if (sql.length > 1_000 || !MENTIONED.test(sql)) return
    for (const { groups = {} } of sql.matchAll(ASSIGNMENTS)) {
      const { variable, value = '' } = groups
      if (variable === undefined) escapes = escapesIn(value)
      else if (OF_SESSION.test(value)) saved.set(variable.toLowerCase(), escapes)
    }
  }

  const escapesIn = (value: string): boolean => {
    const [, variable] = /^\s*@(\w+)/.exec(value) ?? []
    if (variable !== undefined) return saved.get(variable.toLowerCase()) ?? initial
    if (FORBIDS.test(value)) return /^\s*replace\b/i.test(value)
    if (OF_SESSION.test(value)) return escapes
    return /^\s*(default|@@)/i.test(value) ? initial : true
  }

  return {
    get escapes() {
      return escapes
    },
    read,
  }
}
