import { type ScriptDialect, splitScript } from '../sql/script.ts'

export type Dialect = Extract<ScriptDialect, 'postgres' | 'mysql'>

/** What a statement does to the transaction that it runs in. */
export type Control =
  | { readonly kind: 'begin'; readonly readOnly: boolean }
  /** `chain`: another transaction begins at once. */
  | { readonly kind: 'commit' | 'rollback'; readonly chain: boolean }
  | { readonly kind: 'savepoint' | 'rollback to' | 'release' }
  /** `SET TRANSACTION`: of the next one (MySQL) or of this one (PostgreSQL). */
  | { readonly kind: 'characteristics'; readonly readOnly: boolean }
  /** `SET CONSTRAINTS` */
  | { readonly kind: 'constraints' }
  /** The first half of a two-phase commit: it would take the transaction away from its session. */
  | { readonly kind: 'two-phase' }

export interface Part {
  readonly sql: string
  readonly control: Control | undefined
}

/** Whatever lacks these words controls no transaction: most statements need not be cut up. */
const SUSPICIOUS =
  /\b(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|transaction|constraints)\b/i

/**
 * The statements of one message, where any of them controls the transaction; else `undefined`.
 *
 * @param several whether the server takes more than one statement a message
 */
export function controlsIn(
  text: string,
  dialect: Dialect,
  several: boolean,
): readonly [Part, ...Part[]] | undefined {
  if (!SUSPICIOUS.test(text)) return undefined
  const parts = several ? partsOf(text, dialect) : [partOf(text, dialect)]
  const [first, ...others] = parts
  return first !== undefined && parts.some(({ control }) => control !== undefined)
    ? [first, ...others]
    : undefined
}

/** The statements of one message, where there are several. */
export function severalIn(text: string, dialect: Dialect): readonly Part[] | undefined {
  const parts = text.includes(';') ? partsOf(text, dialect) : []
  return parts.length > 1 ? parts : undefined
}

function partsOf(text: string, dialect: Dialect): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const sql of statementsOf(text, dialect)) {
    const offset = text.indexOf(sql, from)
    // The body of a routine has statements of its own, which the mysql client would need a DELIMITER for.
    if (dialect === 'mysql' && COMPOUND.test(wordsOf(sql, dialect).join(' '))) {
      return [...parts, { sql: text.slice(offset), control: undefined }]
    }
    parts.push(partOf(sql, dialect))
    from = offset + sql.length
  }
  return parts
}

const COMPOUND = /^(?:(?:CREATE|ALTER)\b.*\b(?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)\b|BEGIN NOT\b)/

function statementsOf(text: string, dialect: Dialect): string[] {
  try {
    return splitScript(text, dialect).map(({ sql }) => sql)
  } catch {
    // A command of psql or mysql: no SQL, so it is the server's to refuse.
    return [text]
  }
}

function partOf(sql: string, dialect: Dialect): Part {
  return { sql, control: controlOf(wordsOf(sql, dialect), dialect) }
}

function controlOf(words: readonly string[], dialect: Dialect): Control | undefined {
  const [first, second, third] = words
  const isPostgres = dialect === 'postgres'
  const readOnly = / READ ONLY\b/.test(words.join(' '))
  switch (first) {
    case 'BEGIN':
      return second === 'NOT' ? undefined : { kind: 'begin', readOnly }
    case 'START':
      return second === 'TRANSACTION' ? { kind: 'begin', readOnly } : undefined
    case 'END':
    case 'COMMIT':
      return (first === 'END' && !isPostgres) || second === 'PREPARED' ? undefined : ended('commit', words)
    case 'ABORT':
      return isPostgres ? ended('rollback', words) : undefined
    case 'ROLLBACK':
      if (second === 'PREPARED') return undefined
      return second === 'TO' || third === 'TO' ? { kind: 'rollback to' } : ended('rollback', words)
    case 'SAVEPOINT':
      return { kind: 'savepoint' }
    case 'RELEASE':
      return { kind: 'release' }
    case 'PREPARE':
      return isPostgres && second === 'TRANSACTION' ? { kind: 'two-phase' } : undefined
    case 'SET':
      if (second === 'TRANSACTION' && third !== 'SNAPSHOT') return { kind: 'characteristics', readOnly }
      return isPostgres && second === 'CONSTRAINTS' ? { kind: 'constraints' } : undefined
    default:
      return undefined
  }
}

function ended(kind: 'commit' | 'rollback', words: readonly string[]): Control {
  return { kind, chain: / AND CHAIN\b/.test(words.join(' ')) }
}

const WORD = /[a-z_]\w*/iy
/** A comment that MySQL runs counts as what is in it. */
const GAP = {
  postgres: /[\s,]+|--[^\n]*/y,
  mysql: /[\s,]+|#[^\n]*|--(?=\s|$)[^\n]*|\/\*M?!\d*|\*\/|\/\*[\s\S]*?\*\//y,
}
const COMMENT_EDGE = /\/\*|\*\//g
/** `START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY` has eight. */
const MAX_WORDS = 12

/** The words that a statement begins with, in capitals, without the comments between them. */
function wordsOf(sql: string, dialect: Dialect): string[] {
  const words: string[] = []
  let offset = 0
  while (words.length < MAX_WORDS) {
    if (dialect === 'postgres' && sql.startsWith('/*', offset)) {
      offset = behindNested(sql, offset)
      continue
    }
    const gap = matchAt(GAP[dialect], sql, offset)
    const word = gap === undefined ? matchAt(WORD, sql, offset) : undefined
    if (word !== undefined) words.push(word.toUpperCase())
    const found = gap ?? word
    if (found === undefined) break
    offset += found.length
  }
  return words
}

function matchAt(sticky: RegExp, text: string, offset: number): string | undefined {
  sticky.lastIndex = offset
  return sticky.exec(text)?.[0]
}

function behindNested(sql: string, offset: number): number {
  COMMENT_EDGE.lastIndex = offset
  let depth = 0
  do {
    const edge = COMMENT_EDGE.exec(sql)
    if (edge === null) return sql.length
    depth += edge[0] === '/*' ? 1 : -1
  } while (depth > 0)
  return COMMENT_EDGE.lastIndex
}
