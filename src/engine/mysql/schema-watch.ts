import type { Schema } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import { assertSchema } from './assert-schema.ts'
import {
  countsFrom,
  DEFINITION_COUNTS,
  type DefinitionCounts,
  OWN_COUNTS,
  readingOf,
} from './definition-counts.ts'
import { type Grants, grantsOn, ownGrantsOf, regrant } from './grants.ts'
import { makeWritable } from './writable.ts'

export interface WatchedSchema {
  readonly schema: Schema
  readonly database: string
  /** Statements that fail if the database is not afresh's to change. */
  readonly proof: readonly string[]
  /** Whether it was created from a template, so that no other session knew of it. */
  readonly isCopy: boolean
}

const NO_OWN_STATEMENTS = 'SELECT 0 AS own'

/** Grants found by the first watch on a connection: a new plan does not take a test's for the baseline. */
const grantsAtFirst = new WeakMap<Connection, Grants>()

/** Detects changes of definitions. The server counts statements for all databases together. */
export class SchemaWatch {
  readonly #connection: Connection
  readonly #watched: WatchedSchema
  /** The counts when the definitions were last known to be unchanged; `undefined` if they are in doubt. */
  #known: { altered: number; defined: number } | undefined
  readonly #notes: string[] = []

  constructor(connection: Connection, watched: WatchedSchema) {
    this.#connection = connection
    this.#watched = watched
  }

  /**
   * Starts watching. Changes by this session since the schema was read are ignored.
   *
   * @param ownStatements a query for the number of statements that resets ran or are about to run
   */
  async begin(ownStatements = NO_OWN_STATEMENTS): Promise<void> {
    const { schema, isCopy } = this.#watched
    if (!grantsAtFirst.has(this.#connection)) {
      const grants = await grantsOn(this.#connection)
      grantsAtFirst.set(this.#connection, isCopy ? await ownGrantsOf(this.#connection, grants) : grants)
    }
    const read = readingOf(schema)
    // Each statement on a pool may run in another session.
    if (read === undefined || !this.#connection.owned) return
    const own = await this.#counts(OWN_COUNTS)
    this.#known = await this.#withoutOwn(
      {
        altered: read.all.altered + own.altered - read.own.altered,
        defined: read.all.defined + own.defined - read.own.defined,
      },
      ownStatements,
    )
  }

  /**
   * Whether definitions may have changed; `rows`: by ALTER, which may change rows without being counted as a
   * write.
   *
   * @param counts the rows of `DEFINITION_COUNTS`
   * @param done how many of these statements were resets', read before `counts`
   */
  moved(counts: readonly Row[], done = 0): 'rows' | 'definitions' | undefined {
    const { altered, defined } = countsFrom(counts)
    const known = this.#known
    // A restarted server counts from 0.
    if (known === undefined || altered - done > known.altered || altered < known.altered) return 'rows'
    return defined === known.defined ? undefined : 'definitions'
  }

  /**
   * Records statements of a reset that ran outside of the routine.
   *
   * @param isRecorded whether `done` of the next `moved` contains its ALTER statements
   */
  ran(statements: readonly string[], isRecorded: boolean): void {
    if (this.#known === undefined) return
    for (const sql of statements) {
      if (/^ALTER (TABLE|SEQUENCE)\b/.test(sql)) this.#known.altered += isRecorded ? 0 : 1
      else if (/^(CREATE|DROP)\b/.test(sql)) this.#known.defined += 1
    }
  }

  /** Makes the next `moved` return `rows`. */
  doubt(): void {
    this.#known = undefined
  }

  /**
   * Compares every definition, and restores what belongs to the name of the database: that it is writable,
   * and privileges. `takeNotes` says what was restored, or could not be.
   *
   * @throws ResetError `plan` naming the definitions that changed
   */
  async check(ownStatements = NO_OWN_STATEMENTS): Promise<void> {
    const { schema, database, proof } = this.#watched
    this.#known = undefined
    const now = await this.#withoutOwn(await this.#counts(DEFINITION_COUNTS), ownStatements)
    const note = await makeWritable(this.#connection, database, proof)
    const before = grantsAtFirst.get(this.#connection)
    const granted =
      before === undefined ? { count: 0, notes: [] } : await regrant(this.#connection, before, proof)
    await assertSchema(this.#connection, schema)
    this.#known = { ...now, defined: now.defined + granted.count + (note === undefined ? 0 : 1) }
    this.#notes.push(...(note === undefined ? [] : [note]), ...granted.notes)
  }

  /** The notes of all checks since the last call. */
  takeNotes(): string[] {
    return this.#notes.splice(0)
  }

  async #counts(sql: string): Promise<DefinitionCounts> {
    return countsFrom(await this.#connection.query(sql))
  }

  /** At most the statements of other sessions: announced statements not yet counted reduce it. */
  async #withoutOwn(
    { altered, defined }: DefinitionCounts,
    ownStatements: string,
  ): Promise<DefinitionCounts> {
    const [row] = await this.#connection.query(ownStatements)
    return { altered: altered - Number(row?.own ?? 0), defined }
  }
}
