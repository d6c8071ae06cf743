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

/** Whether definitions may have changed, and what has: the server counts statements for all databases together. */
export interface SchemaWatch {
  /**
   * What was done by this session since the schema was read is no news.
   *
   * @param ownStatements a query for the number of statements that resets ran or are about to run
   */
  begin(ownStatements?: string): Promise<void>
  /**
   * `rows`: by ALTER, which may do something to them that no count tells of.
   *
   * @param counts the rows of `DEFINITION_COUNTS`; `done`: how many of them were resets', read before
   */
  moved(counts: readonly Row[], done?: number): 'rows' | 'definitions' | undefined
  /** Statements of a reset that nobody else knows of. */
  ran(statements: readonly string[]): void
  /** The next look is a moved one. */
  doubt(): void
  /**
   * Compares every definition, and puts back what goes by the name of the database: that it may be written to, and privileges.
   *
   * @returns notes of what was put back, or could not be
   * @throws ResetError `plan` naming what is another one than it was
   */
  check(ownStatements?: string): Promise<readonly string[]>
}

export interface WatchedSchema {
  readonly schema: Schema
  readonly database: string
  /** Statements that fail where the database is not ours. */
  readonly proof: readonly string[]
  /** It was made from a template, and nobody else knew of it. */
  readonly isCopy: boolean
}

const NO_OWN_STATEMENTS = 'SELECT 0 AS own'

/** What the first session on a connection found: a new plan does not take what a test granted for the baseline. */
const grantsAtFirst = new WeakMap<Connection, Grants>()

export function schemaWatch(
  connection: Connection,
  { schema, database, proof, isCopy }: WatchedSchema,
): SchemaWatch {
  let known: { altered: number; defined: number } | undefined

  const counts = async (sql: string): Promise<DefinitionCounts> => countsFrom(await connection.query(sql))
  /** At most what is others': statements that are told of and not yet counted make it less. */
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
      // Of a pool every statement may have another session.
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
      // A server that was started again counts from 0.
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
