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

/** Detects changes of definitions. The server counts statements for all databases together. */
export interface SchemaWatch {
  /**
   * Starts watching. Changes by this session since the schema was read are ignored.
   *
   * @param ownStatements a query for the number of statements that resets ran or are about to run
   */
  begin(ownStatements?: string): Promise<void>
  /**
   * Whether definitions may have changed; `rows`: by ALTER, which may change rows without being counted as a
   * write.
   *
   * @param counts the rows of `DEFINITION_COUNTS`
   * @param done how many of these statements were resets', read before `counts`
   */
  moved(counts: readonly Row[], done?: number): 'rows' | 'definitions' | undefined
  /** Records statements of a reset that ran outside of the routine. */
  ran(statements: readonly string[]): void
  /** Makes the next `moved` return `rows`. */
  doubt(): void
  /**
   * Compares every definition, and restores what belongs to the name of the database: that it is writable,
   * and privileges.
   *
   * @returns notes of what was restored, or could not be
   * @throws ResetError `plan` naming the definitions that changed
   */
  check(ownStatements?: string): Promise<readonly string[]>
}

export interface WatchedSchema {
  readonly schema: Schema
  readonly database: string
  /** Statements that fail if the database is not afresh's to change. */
  readonly proof: readonly string[]
  /** Whether it was created from a template, so that nobody else knew of it. */
  readonly isCopy: boolean
}

const NO_OWN_STATEMENTS = 'SELECT 0 AS own'

/** Grants found by the first watch on a connection: a new plan does not take a test's for the baseline. */
const grantsAtFirst = new WeakMap<Connection, Grants>()

export function schemaWatch(
  connection: Connection,
  { schema, database, proof, isCopy }: WatchedSchema,
): SchemaWatch {
  let known: { altered: number; defined: number } | undefined

  const counts = async (sql: string): Promise<DefinitionCounts> => countsFrom(await connection.query(sql))
  /** At most the statements of other sessions: announced statements not yet counted reduce it. */
  const withoutOwn = async ({ altered, defined }: DefinitionCounts, ownStatements: string) => {
    const [row] = await connection.query(ownStatements)
    return { altered: altered - Number(row?.own ?? 0), defined }
  }

  return {
    async begin(ownStatements = NO_OWN_STATEMENTS) {
      if (!grantsAtFirst.has(connection)) {
        const grants = await grantsOn(connection)
        grantsAtFirst.set(connection, isCopy ? await ownGrantsOf(connection, grants) : grants)
      }
      const read = readingOf(schema)
      // Each statement on a pool may run in another session.
      if (read === undefined || !connection.owned) return
      const own = await counts(OWN_COUNTS)
      known = await withoutOwn(
        {
          altered: read.all.altered + own.altered - read.own.altered,
          defined: read.all.defined + own.defined - read.own.defined,
        },
        ownStatements,
      )
    },
    moved(rows, done = 0) {
      const { altered, defined } = countsFrom(rows)
      // A restarted server counts from 0.
      if (known === undefined || altered - done > known.altered || altered < known.altered) return 'rows'
      return defined === known.defined ? undefined : 'definitions'
    },
    ran(statements) {
      if (known === undefined) return
      for (const sql of statements) {
        if (/^ALTER (TABLE|SEQUENCE)\b/.test(sql)) known.altered += 1
        else if (/^(CREATE|DROP)\b/.test(sql)) known.defined += 1
      }
    },
    doubt() {
      known = undefined
    },
    async check(ownStatements = NO_OWN_STATEMENTS) {
      known = undefined
      const now = await withoutOwn(await counts(DEFINITION_COUNTS), ownStatements)
      const note = await makeWritable(connection, database, proof)
      const before = grantsAtFirst.get(connection)
      const granted =
        before === undefined ? { count: 0, notes: [] } : await regrant(connection, before, proof)
      await assertSchema(connection, schema)
      known = { ...now, defined: now.defined + granted.count + (note === undefined ? 0 : 1) }
      return [...(note === undefined ? [] : [note]), ...granted.notes]
    },
  }
}
