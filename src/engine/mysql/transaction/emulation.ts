import type { Control, Part } from '../../transaction/control-statements.ts'
import type { Savepoints } from '../../transaction/transaction.ts'

/**
 * The transaction state that the code under test sees inside the transaction that is really open. Its own
 * transaction begins at the savepoint `base`. On these servers, a failed statement does not abort the
 * transaction and no constraint is deferred: outside of a transaction, statements are sent unchanged.
 */
export class Emulation {
  /** What ended the transaction prematurely. After that, everything is sent unchanged. */
  lost: string | undefined
  /** Whether the code under test has begun a transaction. */
  #isInside = false
  #waiting = 0
  readonly #base: string

  constructor({ base }: Savepoints) {
    this.#base = base
  }

  /**
   * Returns the statements to send before a message that is queued now. A BEGIN within a transaction commits
   * it and releases its savepoints; so does COMMIT AND CHAIN. While responses are pending, it is unknown
   * whether there is a transaction: releasing a missing savepoint fails without effect.
   */
  ahead(parts: readonly Part[] | undefined): string[] {
    const mayBeInside = this.#isInside || this.#waiting > 0
    this.#waiting++
    const first = parts?.[0]?.control
    const begins = first?.kind === 'begin' || (first?.kind === 'commit' && first.chain)
    return begins && mayBeInside && this.lost === undefined ? [`RELEASE SAVEPOINT ${this.#base}`] : []
  }

  /**
   * For a message that starts now: the statements to send, one for each part, and whether each leaves the
   * code under test inside a transaction.
   */
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

  /** Called after a statement succeeded. */
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

/** Has the response of a statement that returns no rows. */
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
