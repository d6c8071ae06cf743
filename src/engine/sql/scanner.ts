import { AfreshError } from '../../errors.ts'

export interface Statement {
  /** Without its terminator and without comments before it. */
  readonly sql: string
  /** Where it begins; the first line is 1. */
  readonly line: number
  /** The rows that follow `COPY … FROM stdin`, as they stand in the file, without the closing `\.`. */
  readonly copy?: { readonly data: string }
}

export interface SplitOptions {
  /**
   * Whether a backslash keeps a plain quote from closing when the script begins; the script itself may change it. Default: as
   * servers have it unless they are told (MySQL yes, PostgreSQL no).
   */
  readonly backslashEscapes?: boolean
}

/**
 * A position in a script, and the statements found so far. Only ever moves forward and only ever slices
 * the text, so that a dump of hundreds of megabytes costs one pass over it.
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

  /** The line of the current position. */
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

  /** What a sticky expression matches here. */
  match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.pos
    return sticky.exec(this.text)
  }

  /** Takes the next `length` characters into the statement. */
  take(length = 1): void {
    this.#start ??= this.pos
    this.pos += length
  }

  skipLine(): void {
    this.pos = this.#newlineFrom(this.pos)
  }

  /** Moves behind the next `closing` that begins `offset` characters from here or later. */
  skipPast(closing: string, offset: number): void {
    const found = this.text.indexOf(closing, this.pos + offset)
    this.pos = found < 0 ? this.text.length : found + closing.length
  }

  /** Takes text quoted by the current character. A doubled quote needs no care: it closes and opens again. */
  takeQuoted(closing = this.char): void {
    this.take(0)
    this.skipPast(closing, 1)
  }

  /** Takes text quoted by the current character in which a backslash keeps a quote from closing it. */
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

  /** Ends the statement here, if one has begun, and moves behind its terminator. */
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

  /** Everything found; what stands behind the last terminator is a statement too. */
  done(): Statement[] {
    this.finish(0)
    return this.statements
  }

  fail(problem: string, next: string): AfreshError {
    return new AfreshError('usage', `Line ${this.line}: ${problem}`, { next })
  }

  /** Positions must not decrease from call to call. */
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
