import type { SequenceId, SubjectId, Table, TableId } from '../../schema/schema.ts'
import { tableOf } from '../../schema/schema.ts'
import type { Program } from '../resetter.ts'
import type { Baseline } from './baseline.ts'
import { type Flavor, nextOf } from './flavor.ts'
import { MARK_TABLE } from './introspect.ts'
import type { Result } from './mysql-connection.ts'
import { ident } from './quote.ts'
import { differs, sequenceOf, unions } from './statements.ts'
import { pendingQuery } from './triggers.ts'

/** The statements that find dirty subjects, and the function that reads their results. */
export interface Detector {
  readonly statements: readonly string[]
  read(results: readonly Result[]): Found
}

export interface Found {
  readonly dirty: readonly SubjectId[]
  /** Sequences that are not at the position of the plan. */
  readonly moved: ReadonlySet<SequenceId>
  /** Approximate number of rows of each table: DATA_LENGTH lags behind, TABLE_ROWS does not. */
  readonly rows: ReadonlyMap<TableId, number>
  readonly unknown: readonly string[]
  /** An earlier reset failed before it created its suspended triggers again. */
  readonly triggersPending: boolean
}

/**
 * @param options `suspends`: whether there are triggers that a reset has to suspend; `waits`: whether to wait for open
 * transactions, whose rows no scan sees. Default `true`
 */
export function detector(
  program: Program,
  baseline: Baseline,
  {
    flavor,
    suspends,
    database,
    waits = true,
  }: { flavor: Flavor; suspends: boolean; database: string; waits?: boolean },
): Detector {
  const { schema, plan } = program
  const tables = plan.order.flat().map((id) => tableOf(schema, id))
  const targets = plan.steps.flatMap((step) => {
    if (step.kind !== 'restart') return []
    const sequence = sequenceOf(schema, step.sequence)
    return [{ sequence, next: nextOf(step.to, sequence.increment) }]
  })
  const free = targets.filter(({ sequence }) => sequence.kind === 'sequence')
  const parts = {
    barrier: waits ? waitForWriters(tables) : [],
    scan: unions(tables.map((table, index) => `(${scan(table, index, baseline)})`)),
    state: tables.length > 0 ? [STATE] : [],
    free:
      free.length > 0 && flavor.sequences !== undefined
        ? [flavor.sequences.positions(free.map(({ sequence }) => sequence.name))]
        : [],
    suspended: suspends ? [pendingQuery(database)] : [],
  }
  return {
    statements: Object.values(parts).flat(),
    read(results) {
      let from = 0
      const rows = (part: keyof typeof parts) => {
        const { length } = parts[part]
        from += length
        return results.slice(from - length, from).flatMap((result) => result.rows)
      }
      rows('barrier')
      const changed = rows('scan').flatMap(({ ordinal }) => tables[Number(ordinal)]?.id ?? [])
      const state = new Map(rows('state').map((row) => [String(row.name), row]))
      const positions = new Map(
        rows('free').map(({ ordinal, next }) => [free[Number(ordinal)]?.sequence.id, next]),
      )
      const moved = targets.flatMap(({ sequence, next }) => {
        const now = sequence.kind === 'sequence' ? positions.get(sequence.id) : state.get(sequence.name)?.next
        return String(now ?? 1) === String(next) ? [] : [sequence.id]
      })
      const known = new Set([...schema.tables, ...schema.sequences].map(({ name }) => name))
      return {
        unknown: [...state.keys()].filter((name) => !known.has(name) && !isTransientTable(name)),
        dirty: [...changed, ...moved],
        moved: new Set(moved),
        rows: new Map(tables.map(({ id, name }) => [id, Number(state.get(name)?.row_count ?? 0)])),
        triggersPending: rows('suspended').some(({ pending }) => Number(pending) > 0),
      }
    },
  }
}

/**
 * Waits for open transactions that have written to these tables: the scan would not see their rows, which
 * could appear later. READ locks conflict with exactly the metadata locks of writers, not with those of
 * readers.
 */
function waitForWriters(tables: readonly Table[]): string[] {
  const statements: string[] = []
  for (let from = 0; from < tables.length; from += LOCKED_TOGETHER) {
    const some = tables.slice(from, from + LOCKED_TOGETHER)
    statements.push(
      `LOCK TABLES ${some.map(({ name }) => `${ident(name)} READ`).join(', ')}`,
      'UNLOCK TABLES',
    )
  }
  return statements
}

/**
 * The counts of MySQL's performance_schema cost by the most tables that were ever open at once on the server. It
 * makes no difference to lock them in parts: a transaction may also begin after the last UNLOCK TABLES.
 */
const LOCKED_TOGETHER = 100

/** Selects the counter and the approximate number of rows of each table. */
export const STATE = `SELECT table_name AS name, auto_increment AS next, table_rows AS row_count
  FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'VIEW'`

/** Not a user's table: the mark of an adopted database, and the temporary tables of ALTER TABLE. */
function isTransientTable(name: string): boolean {
  return name === MARK_TABLE || name.startsWith('#sql')
}

function scan(table: Table, index: number, baseline: Baseline): string {
  const rows = baseline.rows.get(table.id)
  const name = ident(table.name)
  const versioned = table.traits.includes('system-versioned')
  if (rows === undefined && !versioned) return `SELECT ${index} AS ordinal FROM ${name} LIMIT 1`
  const conditions = [
    ...(rows === undefined ? [] : [differs(table, baseline.database, rows)]),
    ...(versioned ? [`(SELECT COUNT(*) FROM ${name} FOR SYSTEM_TIME ALL) <> ${rows ?? 0}`] : []),
  ]
  return `SELECT ${index} AS ordinal FROM DUAL WHERE ${conditions.join(' OR ')}`
}
