import { Scanner, type SplitOptions, type Statement } from './scanner.ts'

const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d\w*/y
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
const COMMENT_EDGE = /\/\*|\*\//g
const ROUTINE = /^create (?:or replace )?(?:function|procedure) /
const COPY_FROM_STDIN = /^copy\s+(?!\()[^;]*?\sfrom\s+stdin\b/i
const CONFORMING = /^set\s+(?:session\s+)?standard_conforming_strings\s*(?:=|\sto\s)\s*'?(on|off)/i
const META_COMMAND = /\\\S*/y
const CONTINUED_STRING = /[ \t\f\v]*[\r\n]\s*(?=')/y

/** Follows psql's lexer (`psqlscan.l`), which uses the same rules to decide where a statement ends. */
export function splitPostgres(text: string, { backslashEscapes = false }: SplitOptions = {}): Statement[] {
  const scanner = new Scanner(text)
  let state = newStatement()
  let conforming = !backslashEscapes
  while (!scanner.atEnd) {
    if (skipBlank(scanner)) continue
    const { char } = scanner
    if (char === ';' && state.parens === 0 && state.begins === 0) {
      const finished = scanner.finish(1)
      state = newStatement()
      if (finished === undefined) continue
      conforming = conformingAfter(finished.sql, conforming)
      if (COPY_FROM_STDIN.test(finished.sql)) attachCopyData(scanner, finished)
    } else if (char === "'") {
      if (conforming) scanner.takeQuoted()
      else takeEscapedString(scanner)
    } else if (char === '"') scanner.takeQuoted()
    else if (char === '$') takeDollar(scanner)
    else if (char === '\\') skipMetaCommand(scanner)
    else takeCode(scanner, state)
  }
  return scanner.done()
}

interface StatementState {
  parens: number
  /** Open `BEGIN ATOMIC` and `CASE` inside a routine's body. */
  begins: number
  /** The first four words in lower case, each followed by a space. */
  head: string
  words: number
  /** Whether those words begin a CREATE FUNCTION or CREATE PROCEDURE. */
  routine: boolean
}

function newStatement(): StatementState {
  return { parens: 0, begins: 0, head: '', words: 0, routine: false }
}

/** Skips white space or a comment; comments nest. Returns `false` if there is neither. */
function skipBlank(scanner: Scanner): boolean {
  const { char } = scanner
  if (isSpace(char)) scanner.pos += 1
  else if (char === '-' && scanner.looksAt('--')) scanner.skipLine()
  else if (char === '/' && scanner.looksAt('/*')) skipNestedComment(scanner)
  else return false
  return true
}

function skipNestedComment(scanner: Scanner): void {
  COMMENT_EDGE.lastIndex = scanner.pos
  let depth = 0
  do {
    const edge = COMMENT_EDGE.exec(scanner.text)
    if (edge === null) {
      scanner.pos = scanner.text.length
      return
    }
    depth += edge[0] === '/*' ? 1 : -1
  } while (depth > 0)
  scanner.pos = COMMENT_EDGE.lastIndex
}

function takeCode(scanner: Scanner, state: StatementState): void {
  const word = scanner.match(WORD)?.[0]
  if (word === undefined) {
    if (scanner.char === '(') state.parens += 1
    else if (scanner.char === ')') state.parens = Math.max(0, state.parens - 1)
    scanner.take()
    return
  }
  scanner.take(word.length)
  if ((word === 'E' || word === 'e') && scanner.char === "'") takeEscapedString(scanner)
  else noteWord(state, word)
}

/** A routine's body may contain statements between BEGIN and END; `CASE` has its own END. */
function noteWord(state: StatementState, word: string): void {
  state.words += 1
  if (state.words <= 4) {
    state.head += `${word.toLowerCase()} `
    state.routine = ROUTINE.test(state.head)
  }
  if (!state.routine || state.parens > 0) return
  const keyword = word.toLowerCase()
  if (keyword === 'begin' || (keyword === 'case' && state.begins > 0)) state.begins += 1
  else if (keyword === 'end' && state.begins > 0) state.begins -= 1
}

/** A string with backslash escapes continues after a line break if another quote opens there. */
function takeEscapedString(scanner: Scanner): void {
  for (;;) {
    scanner.takeEscaped()
    const gap = scanner.match(CONTINUED_STRING)
    if (gap === null) return
    scanner.take(gap[0].length)
  }
}

function takeDollar(scanner: Scanner): void {
  const tag = scanner.match(DOLLAR_TAG)?.[0]
  scanner.take(tag?.length ?? 1)
  if (tag !== undefined) scanner.skipPast(tag, 0)
}

/** Old dumps turn standard_conforming_strings off; psql learns of that from the server. */
function conformingAfter(sql: string, before: boolean): boolean {
  const setting = sql.length > 100 ? undefined : CONFORMING.exec(sql)?.[1]
  return setting === undefined ? before : setting.toLowerCase() === 'on'
}

function attachCopyData(scanner: Scanner, copy: Statement): void {
  while (!scanner.atEnd && scanner.char !== '\n') {
    if (!skipBlank(scanner)) {
      throw scanner.fail(
        'more SQL behind COPY … FROM stdin on the same line.',
        'Begin a new line after its `;`.',
      )
    }
  }
  const begin = scanner.pos + 1
  const end = endOfCopyData(scanner)
  const data = scanner.text.slice(begin, end)
  scanner.statements[scanner.statements.length - 1] = {
    ...copy,
    copy: { data },
  }
  scanner.pos = end
  scanner.skipLine()
}

/** The position of the line that consists of `\.`, or the end of the text. */
function endOfCopyData({ text, pos }: Scanner): number {
  for (let from = pos; ; ) {
    const found = text.indexOf('\n\\.', from)
    if (found < 0) return text.length
    const after = text.charAt(found + 3)
    if (after === '' || after === '\n' || after === '\r') return found + 1
    from = found + 1
  }
}

/**
 * pg_dump writes `\restrict KEY` and `\unrestrict KEY` around a dump. They protect psql and have no effect
 * here.
 */
function skipMetaCommand(scanner: Scanner): void {
  const command = scanner.match(META_COMMAND)?.[0] ?? '\\'
  if (command !== '\\restrict' && command !== '\\unrestrict') {
    throw scanner.fail(
      `${command} is a command of psql, not SQL.`,
      'Remove the line, or run the file through psql: migrate: { command: \'psql "$DATABASE_URL" -f FILE\' }.',
    )
  }
  scanner.skipLine()
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r' || char === '\f' || char === '\v'
}
