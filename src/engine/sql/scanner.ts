import { AfreshError } from '../../errors.ts'

export interface Statement {
  /** Without its terminator and without comments before it. */
  readonly sql: string
  /** The line on which it begins, counted from 1. */
  readonly line: number
  /** The rows after `COPY … FROM stdin`, unchanged, without the closing `\.`. */
  readonly copy?: { readonly data: string }
}

export interface SplitOptions {
  /**
   * Whether a backslash escapes a quote at the beginning of the script; the script may change that. Defaults
   * to the server's default: true for MySQL, false for PostgreSQL.
   */
  readonly backslashEscapes?: boolean
  /** Whether each character of the text is one byte of a file that is not UTF-8. */
  readonly bytes?: boolean
}

/**
 * A position in a script, and the statements found so far. Only moves forward and only slices the text, so
 * that a dump of hundreds of megabytes takes one pass.
 */
export class Scanner {
  readonly statements: Statement[] = []
  readonly text: string
  pos: number
  #start: number | undefined
  #line = 1
  #lineEnd: number

  constructor(text: string) {
    this.text = text
    this.pos = text.startsWith('\uFEFF') ? 1 : 0
    this.#lineEnd = this.#newlineFrom(0)
  }

  get atEnd(): boolean {
    return this.pos >= this.text.length
  }

  get char(): string {
    return this.text.charAt(this.pos)
  }

  get line(): number {
    return this.#lineAt(this.pos)
  }

  /** Whether a statement has begun. */
  get pending(): boolean {
    return this.#start !== undefined
  }

  looksAt(part: string): boolean {
    return this.text.startsWith(part, this.pos)
  }

  /** Matches a sticky expression at the current position. */
  match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.pos
    return sticky.exec(this.text)
  }

  /** Adds the next `length` characters to the statement. */
  take(length = 1): void {
    this.#start ??= this.pos
    this.pos += length
  }

  skipLine(): void {
    this.pos = this.#newlineFrom(this.pos)
  }

  /** Moves past the next `closing` that begins at least `offset` characters from here. */
  skipPast(closing: string, offset: number): void {
    const found = this.text.indexOf(closing, this.pos + offset)
    this.pos = found < 0 ? this.text.length : found + closing.length
  }

  /**
   * Takes text quoted by the current character. A doubled quote needs no special case: it closes and reopens
   * the text.
   */
  takeQuoted(closing = this.char): void {
    this.take(0)
    this.skipPast(closing, 1)
  }

  /** Takes text quoted by the current character, in which a backslash escapes a quote. */
  takeEscaped(): void {
    const { text } = this
    const quote = text.charCodeAt(this.pos)
    let offset = this.pos + 1
    for (; offset < text.length; offset++) {
      const code = text.charCodeAt(offset)
      if (code === BACKSLASH) offset++
      else if (code === quote && text.charCodeAt(offset + 1) === quote) offset++
      else if (code === quote) break
    }
    this.take(Math.min(offset + 1, text.length) - this.pos)
  }

  /**
   * Takes text quoted by the current character, in which two bytes may be one character. A doubled quote
   * needs no special case.
   */
  takePaired(pairs: (first: number, second: number) => boolean, escapes: boolean): void {
    const { text } = this
    const quote = text.charCodeAt(this.pos)
    let offset = this.pos + 1
    for (; offset < text.length; offset++) {
      const code = text.charCodeAt(offset)
      if (pairs(code, text.charCodeAt(offset + 1)) || (escapes && code === BACKSLASH)) offset++
      else if (code === quote) break
    }
    this.take(Math.min(offset + 1, text.length) - this.pos)
  }

  /** Ends the current statement, if one has begun, and moves past its terminator. */
  finish(terminatorLength: number): Statement | undefined {
    const start = this.#start
    const end = this.pos
    this.pos += terminatorLength
    this.#start = undefined
    if (start === undefined) return undefined
    const statement = {
      sql: this.text.slice(start, end).trimEnd(),
      line: this.#lineAt(start),
    }
    this.statements.push(statement)
    return statement
  }

  /** Returns all statements, including text after the last terminator. */
  done(): Statement[] {
    this.finish(0)
    return this.statements
  }

  fail(problem: string, next: string): AfreshError {
    return new AfreshError('usage', `Line ${this.line}: ${problem}`, { next })
  }

  /** Positions must not decrease between calls. */
  #lineAt(position: number): number {
    while (this.#lineEnd < position) {
      this.#line += 1
      this.#lineEnd = this.#newlineFrom(this.#lineEnd + 1)
    }
    return this.#line
  }

  #newlineFrom(position: number): number {
    const newline = this.text.indexOf('\n', position)
    return newline < 0 ? this.text.length : newline
  }
}

const BACKSLASH = 92
