import type { Connection } from '../engine/connection.ts'
import type { MeasurementBudget } from '../engine/costs.ts'
import type { Costs } from '../plan/cost.ts'
import { type MeasurementServer, measureCosts } from './measure.ts'

/** Long enough to average out other load on the machine. */
const THOROUGH: MeasurementBudget = { rounds: 200, budgetMs: 4000 }

/**
 * Measures the cost of DELETE and TRUNCATE on this server for some seconds, more thoroughly than at a start.
 * Stores nothing: the caller passes the result to `replaceSamples`. Throws the server's errors.
 *
 * @param admin a connection to the server that may create databases
 */
export async function calibrate(
  server: Omit<MeasurementServer, 'startedByAfresh'>,
  admin: Connection,
  budget: MeasurementBudget = THOROUGH,
): Promise<Costs> {
  const costs = await measureCosts(server, admin, budget)
  if (costs === undefined)
    throw new Error(`${server.engine.title} leaves no choice between DELETE and TRUNCATE`)
  return costs
}
