import type { Control, Part } from '../../transaction/control-statements.ts'
import type { Savepoints } from '../../transaction/transaction.ts'

/**
 * What the code under test takes its transactions for, inside the one that is really open. Its own begins at the
 * savepoint `base`. A statement that fails spoils no transaction on these servers, and nothing is deferred: outside of
 * a transaction statements are sent as they are.
 */
export class Emulation {
  /** What ended the transaction before its time. From there on everything is sent as it is. */
  lost: string | undefined
  /** Whether the code under test has begun a transaction. */
  #isInside = false
  #waiting = 0
  readonly #base: string

  constructor({ base }: Savepoints) {
    this.#base = base
  }

  /**
   * When a message is handed over: what has to be sent before it. A BEGIN within a transaction commits it, and its
   * savepoints go with it; as they do before the transaction of a CHAIN. Where answers are still to come, whether
   * there is a transaction will only be known then; to release what is not there fails, and changes nothing.
   */
  ahead(parts: readonly Part[] | undefined): string[] {
    const mayBeInside = this.#isInside || this.#waiting > 0
    this.#waiting++
    const first = parts?.[0]?.control
    const begins = first?.kind === 'begin' || (first?.kind === 'commit' && first.chain)
    return begins && mayBeInside && this.lost === undefined ? [`RELEASE SAVEPOINT ${this.#base}`] : []
  }

  /** When its turn has come: what to send, one statement for each, and where each of them leads. */
  translated(parts: readonly Part[]): { readonly text: string; readonly after: readonly boolean[] } {
    const after: boolean[] = []
    let isInside = this.#isInside
    const statements = parts.map(({ sql, control }) => {
      const statement = this.#statementFor(sql, control, isInside)
      isInside = isInsideAfter(control, isInside)
      after.push(isInside)
      return statement
    })
    return { text: statements.join(';\n'), after }
  }

  /** A statement has succeeded. */
  entered(isInside: boolean | undefined): void {
    this.#isInside = isInside ?? this.#isInside
  }

  answered(): void {
    this.#waiting--
  }

  lose(why: string): void {
    this.lost ??= why
  }

  #statementFor(sql: string, control: Control | undefined, isInside: boolean): string {
    const base = this.#base
    switch (control?.kind) {
      case 'begin':
        return `SAVEPOINT ${base}`
      case 'commit':
        if (control.chain) return `SAVEPOINT ${base}`
        return isInside ? `RELEASE SAVEPOINT ${base}` : NOTHING
      case 'rollback':
        if (isInside) return `ROLLBACK TO SAVEPOINT ${base}`
        return control.chain ? `SAVEPOINT ${base}` : NOTHING
      case 'savepoint':
      case 'characteristics':
        return isInside ? sql : NOTHING
      default:
        return sql
    }
  }
}

/** Answers as any statement does that returns no rows. */
const NOTHING = 'DO 0'

function isInsideAfter(control: Control | undefined, isInside: boolean): boolean {
  switch (control?.kind) {
    case 'begin':
      return true
    case 'commit':
    case 'rollback':
      return control.chain
    default:
      return isInside
  }
}
