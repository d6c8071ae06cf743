import type { Table } from '../schema/schema.ts'

/**
 * What it costs one server to be rid of rows, in microseconds. TRUNCATE costs by the file that it makes anew, DELETE by
 * the page that it goes through, so the two cross at a number of pages that differs from server to server: 5 where
 * files are made in memory, 50 on a disk.
 */
export interface Costs {
  /** A TRUNCATE, without its files and beyond what a DELETE of one row would take. */
  readonly truncate: number
  /** Each file that it makes anew. */
  readonly truncateFile: number
  /** DELETE of a page full of narrow rows. */
  readonly deletePage: number
  /** The same page's entries in one index besides the primary key, where DELETE goes through those too. */
  readonly deleteIndexPage: number
  /** With checks on: whether rows refer to those of the page, by one foreign key. */
  readonly probePage: number
  /** Reading a page whose rows were all deleted before; 0 where the server gives such pages back by itself. */
  readonly deadPage: number
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
  /** The foreign keys that are checked for each row that DELETE removes. */
  readonly checkedKeys: number
  /** The counter that TRUNCATE puts to its start; `elsewhere`: the baseline has it in another place. */
  readonly counter: 'none' | 'at start' | 'elsewhere'
}

/** From how many bytes on TRUNCATE is cheaper, and because of what. */
export interface Threshold {
  readonly aboveBytes: number
  readonly aboveBytesIfMoved: number
  readonly because: 'price' | 'bloat'
}

/** A table that only ever grows by less than a page a reset is no trouble. */
const GROWTH_PAGES = 1

/** A page of deleted rows is read by the DELETE of each reset, and at least once by whoever looks into the table. */
const READS_PER_RESET = 2

/** No threshold is infinite: it has to go through SQL and JSON. 1 TiB. */
const MOST_BYTES = 2 ** 40

/**
 * The thresholds of one table. How full its pages are nobody knows without reading them, so they are taken to be full,
 * all but one: the rows of a test that wrote just a few lie in the first.
 *
 * Pages that are not full count as well, since DELETE leaves them behind: growing by a page a reset, a table has cost
 * P²/2 pages of reading by the time that it has P of them, which is what one TRUNCATE costs at P = √(2 T / read). So
 * it is made anew there, whatever is alive in it.
 */
export function thresholdOf(costs: Costs, choice: Choice): Threshold {
  const { pageBytes, restart, deadPage } = costs
  const page = deletePageCost(costs, choice)
  const base = truncateCost(costs, choice.closure) + (choice.counter === 'elsewhere' ? restart : 0)
  const moved = base - (choice.counter === 'none' ? 0 : restart)
  const price = 1 + base / page
  const bloat = Math.sqrt((2 * GROWTH_PAGES * base) / (READS_PER_RESET * deadPage))
  const bytes = (pages: number) => Math.min(MOST_BYTES, Math.max(1, Math.floor(pages)) * pageBytes)
  const aboveBytes = bytes(Math.min(price, bloat))
  return {
    aboveBytes,
    aboveBytesIfMoved: moved <= 0 ? 0 : Math.min(aboveBytes, bytes(1 + moved / page)),
    because: bloat < price ? 'bloat' : 'price',
  }
}

/** TRUNCATE of these tables, in microseconds. */
export function truncateCost(costs: Costs, tables: readonly Table[]): number {
  return tables.reduce((sum, table) => sum + filesOf(table) * costs.truncateFile, costs.truncate)
}

/** DELETE of a page full of this table's rows, in microseconds. */
function deletePageCost(costs: Costs, { table, checkedKeys }: Choice): number {
  const indexes = table.storage?.indexes ?? 0
  return costs.deletePage + indexes * costs.deleteIndexPage + checkedKeys * costs.probePage
}

/** How many files TRUNCATE makes anew for this table. */
export function filesOf(table: Table): number {
  return table.storage?.files ?? 1
}
