import type { Costs } from '../plan/cost.ts'
import type { Connection } from './connection.ts'

/** Measures what deleting rows costs on a server. */
export interface CostMeter {
  /** For a server that has not been measured. */
  readonly defaults: Costs
  /** What the costs depend on besides the hardware: version and settings, in one line. */
  conditions(connection: Connection): Promise<string>
  /**
   * Measures in an empty temporary database, and leaves tables in it. As in a test run, one connection writes
   * and the other resets, so that the measured time includes the metadata that the other session reloads
   * after TRUNCATE.
   */
  measure(connection: Connection, writer: Connection, effort: MeasurementBudget): Promise<Costs>
}

/** Limits of a measurement. */
export interface MeasurementBudget {
  /** The maximum number of rounds. */
  readonly rounds: number
  /** No further round begins after this many milliseconds, except for the first few. */
  readonly budgetMs: number
}
