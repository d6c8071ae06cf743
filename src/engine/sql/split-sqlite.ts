import { Scanner, type Statement } from './scanner.ts'

const WORD = /[\w$\u0080-\uffff]+/y
const TRIGGER = /^(?:explain (?:query plan )?)?create (?:temp |temporary )?trigger /
const DOT_COMMAND = /\.\w+/y

/** Follows `sqlite3_complete` (`complete.c`): a trigger ends at `; END;`, all other statements at `;`. */
export function splitSqlite(text: string): Statement[] {
  const scanner = new Scanner(text)
  let state = newStatement()
  while (!scanner.atEnd) {
    if (skipBlank(scanner)) continue
    if (scanner.char !== ';') takeCode(scanner, state)
    else if (state.trigger && state.last !== 'end') {
      scanner.take()
      state.last = 'semicolon'
    } else {
      scanner.finish(1)
      state = newStatement()
    }
  }
  return scanner.done()
}

interface StatementState {
  /** The first words in lower case, each followed by a space. */
  head: string
  words: number
  trigger: boolean
  /** The last token; `end` is an END directly after a semicolon. */
  last: 'semicolon' | 'end' | 'other'
}

function newStatement(): StatementState {
  return { head: '', words: 0, trigger: false, last: 'other' }
}

function skipBlank(scanner: Scanner): boolean {
  const { char } = scanner
  if (char <= ' ') scanner.pos += 1
  else if (char === '-' && scanner.looksAt('--')) scanner.skipLine()
  else if (char === '/' && scanner.looksAt('/*')) scanner.skipPast('*/', 2)
  else return false
  return true
}

function takeCode(scanner: Scanner, state: StatementState): void {
  const { char } = scanner
  const word = scanner.match(WORD)?.[0]
  if (word !== undefined) {
    scanner.take(word.length)
    noteWord(state, word)
    return
  }
  if (char === '.' && !scanner.pending) refuseDotCommand(scanner)
  if (char === "'" || char === '"' || char === '`') scanner.takeQuoted()
  else if (char === '[') scanner.takeQuoted(']')
  else scanner.take()
  state.last = 'other'
}

function noteWord(state: StatementState, word: string): void {
  state.words += 1
  if (state.words <= 6) {
    state.head += `${word.toLowerCase()} `
    state.trigger = TRIGGER.test(state.head)
  }
  state.last = state.trigger && state.last === 'semicolon' && word.toLowerCase() === 'end' ? 'end' : 'other'
}

function refuseDotCommand(scanner: Scanner): void {
  const command = scanner.match(DOT_COMMAND)?.[0]
  if (command === undefined) return
  throw scanner.fail(`${command} is a command of the sqlite3 shell, not SQL.`, 'Remove the line.')
}
