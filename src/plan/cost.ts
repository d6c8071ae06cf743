import type { Table } from '../schema/schema.ts'

/**
 * The cost of removing rows on one server, in microseconds. TRUNCATE costs per file that it recreates, DELETE
 * per row. They break even at a number of rows that depends on the server: some hundreds if files are in
 * memory, some thousands on a disk.
 */
export interface Costs {
  /** A TRUNCATE without its files, minus the cost of a DELETE of one row. */
  readonly truncate: number
  /** Per file that TRUNCATE recreates. */
  readonly truncateFile: number
  /**
   * Per foreign key that references the table, on servers where TRUNCATE, and ALTER for its counter, also
   * open the referencing tables without having to truncate them; otherwise 0.
   */
  readonly truncateKey: number
  /** Per table of the schema, if TRUNCATE causes the next detection query to be replanned; otherwise 0. */
  readonly planTable: number
  /** DELETE of a row, minus what the row adds to a TRUNCATE. */
  readonly deleteRow: number
  /** Per row and secondary index, where DELETE maintains those too. */
  readonly deleteIndexRow: number
  /** Per row and foreign key with checks on: looking for rows that reference it. */
  readonly probeRow: number
  /** Per row with checks off, if foreign keys reference the table: skipping the check. */
  readonly referredRow: number
  /** Reading a page of dead rows; 0 if the server reclaims dead pages itself. */
  readonly readPage: number
  /** Restoring a counter, where TRUNCATE does so itself; otherwise 0. */
  readonly restart: number
  /** Page size in bytes. */
  readonly pageBytes: number
}

/** What the choice for one table depends on. */
export interface Choice {
  readonly table: Table
  /** All tables that TRUNCATE would empty, including this one. */
  readonly closure: readonly Table[]
  /** Number of tables in the schema. */
  readonly tables: number
  /** Foreign keys that are checked for each deleted row. */
  readonly checkedKeys: number
  /** All foreign keys that reference the table, checked or not. */
  readonly incomingKeys: number
  /** The counter that TRUNCATE restarts. `elsewhere`: its baseline position is not the start. */
  readonly counter: 'none' | 'at start' | 'elsewhere'
}

/** Sizes above which TRUNCATE is cheaper. */
export interface Threshold {
  readonly aboveRows: number
  /** The same if the counter has moved and TRUNCATE restores it; often 0. */
  readonly aboveRowsIfMoved: number
  /** A smaller table cannot contain `aboveRows` rows. */
  readonly aboveBytes: number
  /** A table of dead pages is truncated above this size. */
  readonly deadBytes: number
}

/**
 * The measured time of TRUNCATE, and of ALTER for a counter, is too low: the next test's first statement
 * reloads the table's definition, and on a busy machine both slow down more than DELETE.
 */
const DEFINITION_FACTOR = 1.2

/** Pages by which a table grows per reset; slower growth is harmless. */
const GROWTH_PAGES = 1

/** The DELETE of each reset reads a page of deleted rows, and so does at least one query of the test. */
const READS_PER_RESET = 2

/** A number or two, including PostgreSQL's row header and item pointer. */
const SHORTEST_ROW_BYTES = 36

/** Finite: thresholds must pass through SQL and JSON. */
const MOST_ROWS = 1e12
/** 1 TiB, meaning never. */
export const MOST_BYTES = 2 ** 40

/**
 * The thresholds of one table. Pages of live rows do not count: they slow down DELETE and TRUNCATE by the
 * same amount.
 *
 * Dead pages count, because DELETE leaves them behind. A table that grows by one page per reset has cost P²/2
 * page reads once it has P dead pages. That equals the cost T of one TRUNCATE at P = √(2 T / read), so the
 * table is truncated at that size.
 */
export function thresholdOf(costs: Costs, choice: Choice): Threshold {
  const { pageBytes, readPage } = costs
  const restart = DEFINITION_FACTOR * (costs.restart + choice.incomingKeys * costs.truncateKey)
  const row = deleteRowCost(costs, choice)
  const base = truncateCost(costs, choice) + (choice.counter === 'elsewhere' ? restart : 0)
  const moved = base - (choice.counter === 'none' ? 0 : restart)
  const rows = (cost: number) => Math.min(MOST_ROWS, Math.max(0, Math.floor(cost / row)))
  const bytes = (pages: number) => Math.min(MOST_BYTES, Math.floor(pages) * pageBytes)
  const aboveRows = rows(base)
  return {
    aboveRows,
    aboveRowsIfMoved: rows(moved),
    aboveBytes: bytes(aboveRows / (pageBytes / SHORTEST_ROW_BYTES)),
    deadBytes: bytes(Math.max(1, Math.sqrt((2 * GROWTH_PAGES * base) / (READS_PER_RESET * readPage)))),
  }
}

/** TRUNCATE of the closure, in microseconds. */
export function truncateCost(costs: Costs, { closure, tables, incomingKeys }: Choice): number {
  const files = closure.reduce((sum, table) => sum + filesOf(table), 0)
  const others = incomingKeys * costs.truncateKey + tables * costs.planTable
  return DEFINITION_FACTOR * (costs.truncate + files * costs.truncateFile + others)
}

/** DELETE of one row of this table, in microseconds. */
function deleteRowCost(costs: Costs, { table, checkedKeys, incomingKeys }: Choice): number {
  const indexes = table.storage?.indexes ?? 0
  const keys = checkedKeys > 0 ? checkedKeys * costs.probeRow : incomingKeys > 0 ? costs.referredRow : 0
  return costs.deleteRow + indexes * costs.deleteIndexRow + keys
}

/** Number of files that TRUNCATE recreates for this table. */
export function filesOf(table: Table): number {
  return table.storage?.files ?? 1
}
