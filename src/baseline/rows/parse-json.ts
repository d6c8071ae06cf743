import { Numeral, type Value } from '../../engine/bulk-insert.ts'

/** A text that is not JSON, with the line of the problem. */
export class JsonError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

const SPACE = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none in a text
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/**
 * Reads JSON token by token. `JSON.parse` rounds numbers to 15 digits, and knows no lines. Lists and objects
 * are read one element at a time, so that the rows of a long list need not be in memory together.
 */
export class JsonReader {
  readonly #text: string
  #at = 0
  #counted = 0
  #line = 1

  constructor(text: string) {
    // A byte order mark.
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text
  }

  /** The line of the next token. */
  get line(): number {
    this.#take(SPACE)
    for (; this.#counted < this.#at; this.#counted++) {
      if (this.#text.charCodeAt(this.#counted) === 10) this.#line++
    }
    return this.#line
  }

  /** The first character of the next token; empty at the end. */
  peek(): string {
    this.#take(SPACE)
    return this.#text.charAt(this.#at)
  }

  /** Stops before each element of a list, which the caller reads. */
  *elements(): Generator<void> {
    yield* this.#parts('[', ']', () => {})
  }

  /** Stops before the value of each member of an object, which the caller reads. */
  *members(): Generator<string> {
    const seen = new Set<string>()
    yield* this.#parts('{', '}', () => {
      const { line } = this
      const name = this.#string()
      if (seen.has(name)) throw new JsonError(line, `${JSON.stringify(name)} is there twice`)
      seen.add(name)
      this.#expect(':')
      return name
    })
  }

  value(): Value {
    const first = this.peek()
    if (first === '[') {
      const values: Value[] = []
      for (const _ of this.elements()) values.push(this.value())
      return values
    }
    if (first === '{') {
      const values = new Map<string, Value>()
      for (const name of this.members()) values.set(name, this.value())
      return values
    }
    if (first === '"') return this.#string()
    const number = this.#take(NUMBER)
    if (number !== undefined) return new Numeral(number)
    const word = this.#take(WORD)
    if (word === undefined) throw this.#unexpected('a value')
    return word === 'null' ? null : word === 'true'
  }

  /** Nothing but space may follow. */
  end(): void {
    if (this.peek() !== '') throw this.#unexpected('the end of the file')
  }

  *#parts<T>(open: string, close: string, begin: () => T): Generator<T> {
    this.#expect(open)
    if (this.peek() === close) return this.#expect(close)
    for (;;) {
      yield begin()
      if (this.peek() === close) return this.#expect(close)
      this.#expect(',')
    }
  }

  #string(): string {
    this.#take(SPACE)
    const token = this.#take(STRING)
    if (token === undefined) throw this.#unexpected('a text in double quotes')
    return JSON.parse(token) as string
  }

  #expect(character: string): void {
    if (this.peek() !== character) throw this.#unexpected(JSON.stringify(character))
    this.#at++
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at
    const found = token.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #unexpected(wanted: string): JsonError {
    const found = this.peek()
    return new JsonError(
      this.line,
      `expected ${wanted}, found ${found === '' ? 'the end of the file' : JSON.stringify(found)}`,
    )
  }
}
