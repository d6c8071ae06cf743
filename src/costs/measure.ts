/**
 * In: a connection.
 * Out: what DELETE and TRUNCATE cost on its server, measured now or kept from before.
 * Called by `harness/`, for strategy `auto`.
 */
import type { Connection } from '../engine/connection.ts'
import type { MeasurementBudget } from '../engine/costs.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { messageOf, withCleanUp } from '../errors.ts'
import type { Costs } from '../plan/cost.ts'
import { addSample, readCosts, readServerCosts } from './store.ts'

/** A server on which afresh can create and drop a database. */
export interface MeasurementServer {
  readonly engine: Engine
  readonly databases: Databases
  readonly adminUrl: string
  /** The name of the temporary database; the reaper recognizes it as that of a run. */
  readonly temporaryName: string
  /** Whether afresh started the server. */
  readonly startedByAfresh: boolean
}

/**
 * The cost of DELETE and TRUNCATE on this server. The first few calls measure it in a temporary database,
 * which takes about 150 ms; later ones read what was stored. Uses connections of its own, so a start need not
 * wait for it.
 *
 * @param onProblem gets a line of text if the costs cannot be measured or stored; neither is fatal
 * @returns never rejects; `undefined` if the costs are unknown
 */
export async function costsOf(
  target: MeasurementServer,
  onProblem: (line: string) => void,
): Promise<Costs | undefined> {
  const { engine, adminUrl, startedByAfresh } = target
  if (engine.costs === undefined) return undefined
  const orReport = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      onProblem(`The costs of DELETE and TRUNCATE could not be ${what}: ${messageOf(error)}`)
      return undefined
    }
  }
  return orReport('measured', async () => {
    const admin = await engine.connect(adminUrl, { applicationName: 'afresh (costs)' })
    return withCleanUp(
      async () => {
        const server = { engine, connection: admin }
        const stored = await readCosts(server)
        if (stored?.isSettled) return stored.costs
        const costs = await measureCosts(target, admin)
        if (costs === undefined) return undefined
        await orReport('kept', () => addSample(server, costs, { startedByAfresh }))
        return (await readServerCosts(server)) ?? costs
      },
      () => admin.close(),
    )
  })
}

/** Short, so that a start hardly waits for it. */
const QUICK: MeasurementBudget = { rounds: 7, budgetMs: 200 }

/** Measures without reading or storing samples. Throws the server's errors. */
export async function measureCosts(
  { engine, databases, adminUrl, temporaryName }: Omit<MeasurementServer, 'startedByAfresh'>,
  admin: Connection,
  budget: MeasurementBudget = QUICK,
): Promise<Costs | undefined> {
  const { costs: costMeter } = engine
  if (costMeter === undefined) return undefined
  const mark = await databases.create(admin, temporaryName)
  const connected = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await engine.connect(databases.urlOf(adminUrl, temporaryName), { names: 'user' })
    return withCleanUp(
      () => work(connection),
      () => connection.close(),
    )
  }
  return withCleanUp(
    () => connected((connection) => connected((writer) => costMeter.measure(connection, writer, budget))),
    () => databases.drop(admin, temporaryName, mark),
  )
}
