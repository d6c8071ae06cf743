import type { Connection } from '../engine/connection.ts'
import type { MeasurementBudget } from '../engine/costs.ts'
import type { Costs } from '../plan/cost.ts'
import { type MeasurementServer, measureCosts } from './measure.ts'

/** Long enough for what else the machine does to come and go. */
const THOROUGH: MeasurementBudget = { rounds: 200, budgetMs: 4000 }

/**
 * What DELETE and TRUNCATE cost on this server, measured for some seconds and not for the moment that a start has: to be
 * kept by `rememberCosts`. Remembers nothing itself. Throws what the server throws.
 *
 * @param admin a connection to the server that may make databases
 */
export async function calibrate(
  server: Omit<MeasurementServer, 'startedByAfresh'>,
  admin: Connection,
  effort: MeasurementBudget = THOROUGH,
): Promise<Costs> {
  const costs = await measureCosts(server, admin, effort)
  if (costs === undefined)
    throw new Error(`${server.engine.title} leaves no choice between DELETE and TRUNCATE`)
  return costs
}
