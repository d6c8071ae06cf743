import type { Connection } from '../engine/connection.ts'
import type { MeasurementBudget } from '../engine/costs.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { messageOf, withCleanUp } from '../errors.ts'
import type { Costs } from '../plan/cost.ts'
import { addSample, readCosts, readServerCosts } from './store.ts'

/** Where a database of our own can be made and dropped. */
export interface MeasurementServer {
  readonly engine: Engine
  readonly databases: Databases
  readonly adminUrl: string
  /** The name of that database, which the reaper knows for one of a run. */
  readonly temporaryName: string
  /** Whether afresh started the server. */
  readonly startedByAfresh: boolean
}

/**
 * What DELETE and TRUNCATE cost on this server: remembered, or for the first few times measured in a database that is
 * gone afterwards, which takes some 150 ms. On connections of its own, so that a start need not wait for it.
 *
 * @param onProblem called with a line for people where it cannot be measured or kept: no reason to stop anything
 * @returns never a rejection; `undefined` where nothing is known
 */
export async function costsOf(
  target: MeasurementServer,
  onProblem: (line: string) => void,
): Promise<Costs | undefined> {
  const { engine, adminUrl, startedByAfresh } = target
  if (engine.costs === undefined) return undefined
  const orSay = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      onProblem(`What DELETE and TRUNCATE cost here could not be ${what}: ${messageOf(error)}`)
      return undefined
    }
  }
  return orSay('measured', async () => {
    const admin = await engine.connect(adminUrl, { applicationName: 'afresh (costs)' })
    return withCleanUp(
      async () => {
        const server = { engine, connection: admin }
        const known = await readCosts(server)
        if (known?.isSettled) return known.costs
        const costs = await measureCosts(target, admin)
        if (costs === undefined) return undefined
        await orSay('kept', () => addSample(server, costs, { startedByAfresh }))
        return (await readServerCosts(server)) ?? costs
      },
      () => admin.close(),
    )
  })
}

/** A start should not have to wait for it. */
const QUICK: MeasurementBudget = { rounds: 7, budgetMs: 200 }

/** Measures, whatever is remembered; remembers nothing. Throws what the server throws. */
export async function measureCosts(
  { engine, databases, adminUrl, temporaryName }: Omit<MeasurementServer, 'startedByAfresh'>,
  admin: Connection,
  effort: MeasurementBudget = QUICK,
): Promise<Costs | undefined> {
  const { costs: meter } = engine
  if (meter === undefined) return undefined
  const mark = await databases.create(admin, temporaryName)
  const connected = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await engine.connect(databases.urlOf(adminUrl, temporaryName), { names: 'user' })
    return withCleanUp(
      () => work(connection),
      () => connection.close(),
    )
  }
  return withCleanUp(
    () => connected((connection) => connected((writer) => meter.measure(connection, writer, effort))),
    () => databases.drop(admin, temporaryName, mark),
  )
}
