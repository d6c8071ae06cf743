const MENTIONED = /names|char/i
const SET = /^(?:\/\*M?!\d*)?\s*set\s/i
const VALUE = String.raw`'[^']*'|"[^"]*"|@?@?[\w.]+`
const ASSIGNMENTS = new RegExp(
  String.raw`(?:@(?<variable>\w+)\s*:?=|\b(?:names|character\s+set|charset)\b|` +
    String.raw`(?<!\b(?:global|persist|persist_only)\s*[.\s]\s*)\bcharacter_set_client\s*:?=)\s*(?<value>${VALUE})`,
  'gi',
)
const OF_SESSION = /^@@(?:session\.|local\.)?character_set_client$/i

/** The bytes of a character that has two; the second may be one that SQL gives a meaning. */
type Pairs = (first: number, second: number) => boolean

const within = (code: number, from: number, to: number) => code >= from && code <= to
const shiftJis: Pairs = (first, second) =>
  (within(first, 0x81, 0x9f) || within(first, 0xe0, 0xfc)) &&
  (within(second, 0x40, 0x7e) || within(second, 0x80, 0xfc))
const gbk: Pairs = (first, second) =>
  within(first, 0x81, 0xfe) && (within(second, 0x40, 0x7e) || within(second, 0x80, 0xfe))
const big5: Pairs = (first, second) =>
  within(first, 0xa1, 0xf9) && (within(second, 0x40, 0x7e) || within(second, 0xa1, 0xfe))

/** Character sets that may have a backslash or a quote as the second byte of a character. */
const PAIRS: Readonly<Record<string, Pairs>> = { sjis: shiftJis, cp932: shiftJis, gbk, gb18030: gbk, big5 }

/** Tracks the character set of a script's bytes across statements: dumps set it and restore it. */
export interface ClientCharset {
  /** Set if the second byte of a character may be one that SQL gives a meaning. */
  readonly pairs: Pairs | undefined
  read(sql: string | undefined): void
}

export function charsetAfter(initial: string): ClientCharset {
  let charset = initial
  const saved = new Map<string, string>()

  const resolved = (value: string): string => {
    if (OF_SESSION.test(value)) return charset
    if (value.startsWith('@')) return saved.get(value.slice(1).toLowerCase()) ?? initial
    const name = value.replaceAll(/['"]/g, '').toLowerCase()
    return name === 'default' ? initial : name
  }

  return {
    get pairs() {
      return PAIRS[charset]
    },
    read(sql = '') {
      if (sql.length > 1_000 || !MENTIONED.test(sql) || !SET.test(sql)) return
      for (const { groups = {} } of sql.matchAll(ASSIGNMENTS)) {
        const { variable, value = '' } = groups
        if (variable === undefined) charset = resolved(value)
        else saved.set(variable.toLowerCase(), resolved(value))
      }
    },
  }
}
