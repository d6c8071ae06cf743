import { type ScriptDialect, splitScript } from '../sql/script.ts'

export type Dialect = Extract<ScriptDialect, 'postgres' | 'mysql'>

/** The effect of a statement on its transaction. */
export type Control =
  | { readonly kind: 'begin'; readonly readOnly: boolean }
  /** `chain`: a new transaction begins immediately. */
  | { readonly kind: 'commit' | 'rollback'; readonly chain: boolean }
  | { readonly kind: 'savepoint' | 'rollback to' | 'release' }
  /** `SET TRANSACTION`: affects the next transaction (MySQL) or the current one (PostgreSQL). */
  | { readonly kind: 'characteristics'; readonly readOnly: boolean }
  /** `SET CONSTRAINTS` */
  | { readonly kind: 'constraints' }
  /** The first half of a two-phase commit, which would detach the transaction from its session. */
  | { readonly kind: 'two-phase' }

export interface Part {
  readonly sql: string
  readonly control: Control | undefined
}

/** Statements without these words control no transaction, so most statements skip the splitter. */
const SUSPICIOUS =
  /\b(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|transaction|constraints)\b/i

/**
 * The statements of one message, if any of them controls the transaction; otherwise `undefined`.
 *
 * @param several whether the server accepts more than one statement per message
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

/** The statements of one message, if there are several; otherwise `undefined`. */
export function severalIn(text: string, dialect: Dialect): readonly Part[] | undefined {
  const parts = text.includes(';') ? partsOf(text, dialect) : []
  return parts.length > 1 ? parts : undefined
}

function partsOf(text: string, dialect: Dialect): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const sql of statementsOf(text, dialect)) {
    const offset = text.indexOf(sql, from)
    // A routine's body contains statements of its own, for which the mysql client would need a DELIMITER.
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
    // A client command of psql or mysql is not SQL. The server rejects it.
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
/** The content of a comment that MySQL executes counts as words. */
const GAP = {
  postgres: /[\s,]+|--[^\n]*/y,
  mysql: /[\s,]+|#[^\n]*|--(?=\s|$)[^\n]*|\/\*M?!\d*|\*\/|\/\*[\s\S]*?\*\//y,
}
const COMMENT_EDGE = /\/\*|\*\//g
/** `START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY` has eight words. */
const MAX_WORDS = 12

/** The first words of a statement in upper case, without the comments between them. */
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
