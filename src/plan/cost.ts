import type { Table } from '../schema/schema.ts'

/**
 * What it costs one server to be rid of rows, in microseconds. TRUNCATE costs by the file that it makes anew, DELETE by
 * the row, so the two cross at a number of rows that differs from server to server: some hundreds where files are made
 * in memory, some thousands on a disk.
 */
export interface Costs {
  /** A TRUNCATE, without its files and beyond what a DELETE of one row would take. */
  readonly truncate: number
  /** Each file that it makes anew. */
  readonly truncateFile: number
  /**
   * Each foreign key that refers to it, where TRUNCATE, and ALTER for its counter, open the tables behind them too and
   * need not truncate them; else 0.
   */
  readonly truncateKey: number
  /** Each table of the schema, where TRUNCATE of one has the next look at them all be planned again; else 0. */
  readonly planTable: number
  /** DELETE of a row, beyond what the row adds to a TRUNCATE. */
  readonly deleteRow: number
  /** Its entry in one index besides the primary key, where DELETE goes through those too. */
  readonly deleteIndexRow: number
  /** With checks on: whether rows refer to it, by one foreign key. */
  readonly probeRow: number
  /** With checks off: that nobody has to look, where foreign keys refer to the table. */
  readonly referredRow: number
  /** Reading a page whose rows are dead; 0 where the server gives dead pages back by itself. */
  readonly readPage: number
  /** Putting a counter back, where TRUNCATE does so by itself; else 0. */
  readonly restart: number
  /** The size of a page, in bytes. */
  readonly pageBytes: number
}

/** What the choice for one table depends on. */
export interface Choice {
  readonly table: Table
  /** Every table that TRUNCATE would empty, this one included. */
  readonly closure: readonly Table[]
  /** How many tables the schema has. */
  readonly tables: number
  /** The foreign keys that are checked for each row that DELETE removes. */
  readonly checkedKeys: number
  /** All foreign keys that refer to the table, checked or not. */
  readonly incomingKeys: number
  /** The counter that TRUNCATE puts to its start; `elsewhere`: the baseline has it in another place. */
  readonly counter: 'none' | 'at start' | 'elsewhere'
}

/** From where on TRUNCATE is cheaper. */
export interface Threshold {
  readonly aboveRows: number
  /** The same where the counter has moved and TRUNCATE puts it back; often 0. */
  readonly aboveRowsIfMoved: number
  /** Smaller tables cannot hold so many rows. */
  readonly aboveBytes: number
  /** A table whose pages are dead is made again above this size. */
  readonly deadBytes: number
}

/**
 * What is measured of TRUNCATE, and of ALTER for a counter, is not all: the next test's first statement loads the table's
 * definition anew, and where the machine is busy they suffer more than DELETE does.
 */
const DEFINITION_FACTOR = 1.2

/** A table that only ever grows by less than a page a reset is no trouble. */
const GROWTH_PAGES = 1

/** A page of deleted rows is read by the DELETE of each reset, and at least once by whoever looks into the table. */
const READS_PER_RESET = 2

/** A number or two, with PostgreSQL's header and pointer. */
const SHORTEST_ROW_BYTES = 36

/** No threshold is infinite: it has to go through SQL and JSON. */
const MOST_ROWS = 1e12
/** 1 TiB: never. */
export const MOST_BYTES = 2 ** 40

/**
 * The thresholds of one table. Pages of living rows are no part of the price: DELETE takes longer the more there are,
 * and so does TRUNCATE, by as much.
 *
 * Dead pages count as well, since DELETE leaves them behind: growing by a page a reset, a table has cost P²/2 pages of
 * reading by the time that it has P of them, which is what one TRUNCATE costs at P = √(2 T / read). So it is made again
 * there.
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

/** DELETE of one of this table's rows, in microseconds. */
function deleteRowCost(costs: Costs, { table, checkedKeys, incomingKeys }: Choice): number {
  const indexes = table.storage?.indexes ?? 0
  const keys = checkedKeys > 0 ? checkedKeys * costs.probeRow : incomingKeys > 0 ? costs.referredRow : 0
  return costs.deleteRow + indexes * costs.deleteIndexRow + keys
}

/** How many files TRUNCATE makes anew for this table. */
export function filesOf(table: Table): number {
  return table.storage?.files ?? 1
}
