import { withUndo } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Program, Resetter } from '../resetter.ts'
import { baselineOf } from './baseline.ts'
import { availableCounts, type Counts, openDetector, withSnapshot } from './choose-detector.ts'
import { flavorOf } from './flavor-of.ts'
import { introspect } from './introspect.ts'
import { currentDatabase, guard } from './ownership.ts'
import { type ResetContext, type ResetTarget, runProved } from './reset-context.ts'
import { MysqlResetter } from './resetter.ts'
import { ScanReset } from './scan-reset.ts'
import { SchemaWatch } from './schema-watch.ts'
import { openSuspended, resumeTriggers, type Trigger, triggersOf } from './triggers.ts'

/**
 * Takes the content of the database (or of the template) as the baseline. With the server's counters, a reset
 * is one round trip. Otherwise, and for steps that a routine on the server cannot run, one round trip finds
 * what is dirty, and a second one, if anything is, restores it.
 */
export async function prepare(connection: Connection, program: Program): Promise<Resetter> {
  const target = await targetOf(connection, program)
  await runProved(target, [], () => undefined)
  const isResumed = await resumeTriggers(connection, target.database)
  const triggers = await suspendableTriggers(connection, program)
  const counts = await availableCounts(connection, program)
  const baseline = await baselineOf(connection, program)
  const { database, proof } = target
  // Triggers that were suspended when the schema was read belong to it.
  const schema = isResumed ? await introspect(connection) : program.schema
  const isCopy = program.template !== undefined
  const definitions = new SchemaWatch(connection, { schema, database, proof, isCopy })
  const context = { ...target, baseline, triggers, definitions }
  return withUndo(
    () => openResetter(context, counts),
    () => baseline.close(),
  )
}

async function targetOf(connection: Connection, program: Program): Promise<ResetTarget> {
  const { claim } = program
  const database = await currentDatabase(connection)
  const proof = claim === undefined ? [] : [await guard(connection, database, claim, { current: true })]
  return { connection, program, database, proof, own: {} }
}

/** The triggers of the tables in the plan; prepares the server to suspend them. */
async function suspendableTriggers(connection: Connection, { schema, plan }: Program): Promise<Trigger[]> {
  const triggers = await triggersOf(connection)
  const names = new Set(
    plan.order.flat().flatMap((id) => schema.tables.find((table) => table.id === id)?.name ?? []),
  )
  const found = triggers.filter(({ table }) => names.has(table))
  if (found.length > 0) await openSuspended(connection)
  return found
}

async function openResetter(context: ResetContext, available: Counts): Promise<Resetter> {
  const scan = new ScanReset(context, await flavorOf(context.connection))
  const { counters, why } = await openDetector(context, scan, available)
  const chosen = await withUndo(
    async () => {
      await scan.moveToPlannedPositions()
      return counters === undefined ? { counters, why } : withSnapshot(context, scan, counters)
    },
    async () => counters?.close(),
  )
  await context.definitions.begin(chosen.counters?.ownStatements)
  return new MysqlResetter(context, scan, chosen)
}
