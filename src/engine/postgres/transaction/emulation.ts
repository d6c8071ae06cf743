import { type Control, controlsIn, type Part, severalIn } from '../../transaction/control-statements.ts'
import type { Savepoints } from '../../transaction/transaction.ts'

/**
 * Emulates the transactions of the code under test inside the one that is actually open.
 *
 * Outside of an emulated transaction, `base` is set before the last statement, so that its error does not
 * affect later statements. Inside, `base` is set before the BEGIN. Deferred constraints are immediate
 * outside, so that each statement checks them, and deferred from BEGIN to COMMIT.
 */
export class Emulation {
  /** From the server: `T` in a transaction, `E` in a failed one, `I` in none (afresh's was ended). */
  status = 'T'
  /** Whether the code under test has begun a transaction. */
  isInside = false
  /** Nothing was sent since `base` was set. */
  #isFresh = true
  /** Of the emulated transaction. A transaction begun by CHAIN inherits it from the previous one. */
  #isReadOnly = false
  readonly #savepoints: Savepoints
  readonly #deferrable: Deferrable

  constructor(savepoints: Savepoints, deferrable: Deferrable) {
    this.#savepoints = savepoints
    this.#deferrable = deferrable
  }

  /** The statements to send before ones that control no transaction; empty if none are needed. */
  before(): Piece[] {
    if (this.status === 'I' || this.isInside) return []
    const pieces = this.#renewed().map(({ sql }) => ({ sql }))
    this.#isFresh = false
    return pieces
  }

  /** The statements of a message that cannot be sent unchanged. */
  partsOf(text: string): readonly Part[] | undefined {
    return (
      controlsIn(text, 'postgres', true) ?? (this.#deferrable.any ? severalIn(text, 'postgres') : undefined)
    )
  }

  /** The statements to send instead. */
  translated(parts: readonly Part[]): Piece[] {
    if (this.status === 'I') return parts.map(({ sql }) => ({ sql, shown: '' }))
    const pieces = this.isInside ? [] : this.#renewed()
    let isInside = this.isInside
    let hasFailed = isInside && this.status === 'E'
    // The statements of one message form one transaction, unless they control it themselves.
    let isOne = false
    for (const [index, { sql, control }] of parts.entries()) {
      if (!isInside && !isOne && index < parts.length - 1) {
        isOne = true
        pieces.push(...this.#deferred())
      }
      const found = this.#piecesOf(sql, control, { isInside, isOne, hasFailed })
      pieces.push(...found.pieces)
      isInside = found.isInside
      const isEnd = control?.kind === 'commit' || control?.kind === 'rollback'
      if (isEnd) isOne = false
      // The transaction that a CHAIN begins has not failed either.
      if (isEnd || control?.kind === 'rollback to') hasFailed = false
    }
    return isOne && !isInside ? [...pieces, ...this.#checked()] : pieces
  }

  #piecesOf(
    sql: string,
    control: Control | undefined,
    { isInside, isOne, hasFailed }: Where,
  ): { pieces: Piece[]; isInside: boolean } {
    const asItIs = { pieces: [{ sql, shown: '', done: () => this.#dirtied() }], isInside }
    const instead = (...pieces: Piece[]) => ({ pieces, isInside })
    switch (control?.kind) {
      case 'begin':
        this.#isReadOnly = control.readOnly || (isInside && this.#isReadOnly)
        return isInside
          ? asItIs
          : { pieces: this.#begun(isOne ? [] : this.#deferred(), 'BEGIN'), isInside: true }
      case 'commit':
      case 'rollback': {
        const isCommit = control.kind === 'commit' && !hasFailed
        if (control.chain && !isInside) return instead(outsideOfTransaction(`${control.kind} and chain`))
        const pieces = isCommit ? this.#committed() : [this.#rolledBack()]
        if (!control.chain) return { pieces, isInside: false }
        return { pieces: [...pieces, ...this.#begun(this.#deferred())], isInside: true }
      }
      case 'savepoint':
      case 'rollback to':
      case 'release':
        return isInside ? asItIs : instead(outsideOfTransaction(control.kind))
      case 'characteristics':
        this.#isReadOnly ||= isInside && control.readOnly
        return isInside && control.readOnly
          ? instead({ sql: 'SET TRANSACTION READ ONLY', shown: '' })
          : instead({ sql: NOTHING, shown: 'SET' })
      case 'constraints':
        return isInside || isOne ? asItIs : instead({ sql: NOTHING, shown: 'SET CONSTRAINTS' })
      case 'two-phase':
        return instead(noTwoPhase)
      case undefined:
        return asItIs
    }
  }

  /** Sets `base` before the next statement. */
  #renewed(): Piece[] {
    const { base } = this.#savepoints
    const done = () => this.#renew()
    if (this.status === 'E') return [{ sql: `ROLLBACK TO SAVEPOINT ${base}`, done }]
    if (this.#isFresh) return []
    return [{ sql: `RELEASE SAVEPOINT ${base}` }, { sql: `SAVEPOINT ${base}`, done }]
  }

  #begun(deferred: readonly Piece[], shown?: string): Piece[] {
    const done = () => {
      this.isInside = true
    }
    return [
      ...deferred,
      ...(this.#isReadOnly ? [{ sql: 'SET TRANSACTION READ ONLY' }] : []),
      { sql: NOTHING, done, ...(shown === undefined ? {} : { shown }) },
    ]
  }

  #committed(): Piece[] {
    const { base } = this.#savepoints
    const leave = () => {
      this.isInside = false
    }
    return [
      // If a constraint is violated, COMMIT fails and ends the transaction.
      ...this.#checked(leave),
      { sql: `RELEASE SAVEPOINT ${base}`, shown: 'COMMIT', done: leave },
      { sql: `SAVEPOINT ${base}`, done: () => this.#renew() },
    ]
  }

  #deferred(): Piece[] {
    const { initiallyDeferred } = this.#deferrable
    return initiallyDeferred.length === 0
      ? []
      : [{ sql: `SET CONSTRAINTS ${initiallyDeferred.join(', ')} DEFERRED` }]
  }

  #checked(failed: () => void = () => {}): Piece[] {
    return this.#deferrable.any ? [{ sql: CHECK_DEFERRED, failed }] : []
  }

  #rolledBack(): Piece {
    const done = () => {
      this.isInside = false
      this.#renew()
    }
    return { sql: `ROLLBACK TO SAVEPOINT ${this.#savepoints.base}`, shown: 'ROLLBACK', done }
  }

  #renew(): void {
    this.#isFresh = true
  }

  #dirtied(): void {
    this.#isFresh = false
  }
}

interface Where {
  readonly isInside: boolean
  /** Among statements of one message that form one transaction. */
  readonly isOne: boolean
  readonly hasFailed: boolean
}

/** A statement to send. The server reports the completion of each one. */
export interface Piece {
  readonly sql: string
  /** The command tag that the caller receives; `''`: the server's. Absent: hidden from the caller. */
  readonly shown?: string
  /** Called when it completes. */
  readonly done?: () => void
  /** Called when it fails. */
  readonly failed?: () => void
}

/** The deferrable constraints of the database. */
export interface Deferrable {
  readonly any: boolean
  /** Their names as SQL. */
  readonly initiallyDeferred: readonly string[]
}

/**
 * SET CONSTRAINTS takes names, which several tables of a schema may share. A name stays immediate if not all
 * of its constraints are initially deferred.
 */
export const DEFERRABLE = `EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE condeferrable) AS any,
  ARRAY(SELECT DISTINCT pg_catalog.format('%s.%I', c.connamespace::pg_catalog.regnamespace, c.conname)
    FROM pg_catalog.pg_constraint AS c WHERE c.condeferred AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS other
      WHERE other.conname = c.conname AND other.connamespace = c.connamespace AND NOT other.condeferred)) AS "initiallyDeferred"`

export const CHECK_DEFERRED = 'SET CONSTRAINTS ALL IMMEDIATE'

/** A statement without result and effect. */
const NOTHING = `SET LOCAL afresh.nothing TO ''`

function outsideOfTransaction(command: string): Piece {
  return raised(
    'no_active_sql_transaction',
    `${command.toUpperCase()} can only be used in transaction blocks`,
  )
}

const noTwoPhase = raised(
  'feature_not_supported',
  'afresh: PREPARE TRANSACTION would keep what strategy "rollback" is to roll back',
)

function raised(condition: string, message: string): Piece {
  return { sql: `DO $$ BEGIN RAISE ${condition} USING MESSAGE = '${message}'; END $$`, shown: '' }
}
