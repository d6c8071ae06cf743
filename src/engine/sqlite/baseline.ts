import { AfreshError, messageOf } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { type Schema, type TableId, tableOf } from '../../schema/schema.ts'
import type { Program } from '../resetter.ts'
import type { Database } from './driver.ts'
import { captureSql, copyName, copyOf, hasIdentity, isDerived } from './statements.ts'

/** The baseline's rows, in the connection's `temp` schema. */
export interface Baseline {
  readonly schema: Schema
  readonly plan: Plan
  /** The number of the capture, within this process, that the copies belong to. */
  readonly generation: number
  /** The row count of each copied table. */
  readonly rows: ReadonlyMap<TableId, bigint>
}

/** Distinguishes the copies of several baselines on one handle. */
let generations = 0

/**
 * Copies the rows of the populated tables. Throws `AfreshError` (`plan`) naming those that could not be
 * restored.
 */
export function capture(db: Database, program: Program): Baseline {
  refuseWhatCannotComeBack(program)
  const { schema, plan } = program
  generations += 1
  const generation = generations
  const rows = new Map<TableId, bigint>()
  for (const id of plan.populated) {
    const table = tableOf(schema, id)
    if (isDerived(table)) continue
    const [create, fill] = captureSql(table, generation)
    db.exec(create)
    rows.set(id, BigInt(db.run(fill)))
  }
  return { schema, plan, generation, rows }
}

/** Throws `AfreshError` (`server`) if a copy is gone. */
export function assertBaseline(db: Database, { schema, generation, rows }: Baseline): void {
  const existing = new Set(
    db.all(`SELECT name FROM temp.sqlite_master WHERE name LIKE 'afresh:baseline:%'`).map(({ name }) => name),
  )
  const isThere = (id: TableId) => existing.has(copyName(tableOf(schema, id), generation))
  if (![...rows.keys()].every(isThere)) throw baselineLost()
}

export function baselineLost(cause?: unknown): AfreshError {
  return new AfreshError(
    'server',
    'The baseline of this handle is lost: a test dropped the temporary tables that hold it, or set PRAGMA temp_store, which drops them.',
    {
      next:
        'Take that out of the test, or set temp_store before `attach`. Nothing was changed, and later resets fail as well: ' +
        'bring the database to its baseline again, release this one, and attach again.',
      cause,
    },
  )
}

/** Drops the copies. If the user closed the handle, they are gone already. */
export function release(db: Database, { schema, generation, rows }: Baseline): void {
  try {
    for (const id of rows.keys()) db.exec(`DROP TABLE IF EXISTS ${copyOf(tableOf(schema, id), generation)}`)
  } catch (error) {
    if (!messageOf(error).includes('not open')) throw error
  }
}

function refuseWhatCannotComeBack({ schema, plan }: Program): void {
  const populated = plan.populated.map((id) => tableOf(schema, id))
  const unreadable = populated.filter(({ traits }) => traits.includes('unreadable'))
  const anonymous = populated.filter((table) => !hasIdentity(table))
  const problems = [
    ...unreadable.map(
      ({ label }) => `"${label}" is a contentless full-text index: its rows cannot be read back`,
    ),
    ...anonymous.map(
      ({ label }) => `"${label}" has columns named rowid, _rowid_ and oid, which hide its rows' identity`,
    ),
  ]
  if (problems.length === 0) return
  throw new AfreshError(
    'plan',
    `These baseline rows could not be put back:\n  - ${problems.join('\n  - ')}`,
    {
      next: 'Name the tables in `keep`, or let their baseline be empty.',
    },
  )
}
