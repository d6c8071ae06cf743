import type { Costs } from '../plan/cost.ts'
import type { Connection } from './connection.ts'

/** What it costs a server to be rid of rows. */
export interface CostMeter {
  /** For a server that was never measured. */
  readonly defaults: Costs
  /** What the costs depend on, but for the machine: version and settings, in one line. */
  conditions(connection: Connection): Promise<string>
  /**
   * Measures in an empty database that is nobody's: leaves tables there. As in a run of tests, one connection writes and
   * the other puts right, so that what TRUNCATE makes the other one load again counts.
   */
  measure(connection: Connection, writer: Connection, effort: MeasurementBudget): Promise<Costs>
}

/** How much patience measuring has. */
export interface MeasurementBudget {
  /** The most rounds. */
  readonly rounds: number
  /** No round begins after so many milliseconds, but for the first few. */
  readonly budgetMs: number
}
