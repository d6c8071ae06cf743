import type { Connection, CostMeter, Effort, Engine } from '../engine/engine.ts'
import { withCleanUp } from '../errors.ts'
import { buildPlan } from '../plan/build.ts'
import type { Costs, Threshold } from '../plan/cost.ts'
import type { Plan } from '../plan/plan.ts'
import { type Schema, tableOf } from '../schema/schema.ts'
import { mediansOf } from './turns.ts'

/** Where it is measured: an empty database that is nobody's. */
export interface Yard {
  readonly engine: Engine
  /** Puts right, as a test's reset does. */
  readonly connection: Connection
  /** Writes, as a test does. */
  readonly writer: Connection
  readonly mark: string
}

const FEW = 10
const MANY = 1000

/**
 * Measured by real resets of tables that are alike in pairs, the one emptied by DELETE and the other by TRUNCATE, once
 * with few rows and once with many: whatever else a reset does is in both, and what it does after a TRUNCATE alone counts.
 */
export async function costsByResets(yard: Yard, meter: CostMeter, effort: Effort): Promise<Costs> {
  const { engine, connection, writer } = yard
  await connection.query(meter.tables.join(';\n'))
  const probeRow = await probed(yard, meter, effort)
  const schema = await engine.introspect(connection)
  const plan = planFor(engine, schema, await engine.survey(connection, schema), meter)
  const resetter = await engine.prepare(connection, {
    schema,
    plan,
    mark: yard.mark,
    template: undefined,
    lockTimeoutMs: 10_000,
    detector: 'auto',
  })
  return withCleanUp(
    async () => {
      const turn = (table: string, rows: number) => async () => {
        // As many a reset before: what the last one has had thrown away is made again.
        await writer.query([meter.fill(table, 1), ...meter.between].join(';\n'))
        await resetter.reset()
        await writer.query(meter.fill(table, rows))
        return () => resetter.reset()
      }
      const times = await mediansOf(
        {
          deleteFew: turn('plain_deleted', FEW),
          cutFew: turn('plain_cut', FEW),
          deleteMany: turn('plain_deleted', MANY),
          cutMany: turn('plain_cut', MANY),
          broadDeleteFew: turn('broad_deleted', FEW),
          broadCutFew: turn('broad_cut', FEW),
          broadDeleteMany: turn('broad_deleted', MANY),
          broadCutMany: turn('broad_cut', MANY),
          restart: turn(meter.counts ? 'counted_deleted' : 'plain_deleted', FEW),
        },
        effort,
      )
      return costsFrom(times, { schema, meter, probeRow })
    },
    () => resetter.close(),
  )
}

type Times = Readonly<
  Record<`${'delete' | 'cut' | 'broadDelete' | 'broadCut'}${'Few' | 'Many'}` | 'restart', number>
>

function costsFrom(
  times: Times,
  { schema, meter, probeRow }: { schema: Schema; meter: CostMeter; probeRow: number },
): Costs {
  const storageOf = (name: string) =>
    schema.tables.find((table) => table.name === name)?.storage ?? { files: 1, indexes: 0 }
  const [plain, broad] = [storageOf('plain_cut'), storageOf('broad_cut')]
  const cut = times.cutFew - times.deleteFew
  const broadCut = times.broadCutFew - times.broadDeleteFew
  const row = (times.deleteMany - times.cutMany + cut) / (MANY - FEW)
  const broadRow = (times.broadDeleteMany - times.broadCutMany + broadCut) / (MANY - FEW)
  // Nonsense, where the machine was at something else all the time, would be remembered.
  const deleteRow = row > 0 ? row : meter.defaults.deleteRow
  const byRow = meter.byRow(deleteRow)
  const truncateFile = Math.max(
    1,
    broad.files > plain.files ? (broadCut - cut) / (broad.files - plain.files) : (cut + broadCut) / 2,
  )
  const planned = schema.tables.length * byRow.planTable
  return {
    ...byRow,
    truncate: Math.max(0, cut - plain.files * truncateFile - planned),
    truncateFile,
    deleteRow,
    deleteIndexRow: Math.max(0, (broadRow - deleteRow) / (broad.indexes - plain.indexes)),
    probeRow: Math.max(0, probeRow - deleteRow),
    restart: meter.counts ? Math.max(1, times.restart - times.deleteFew) : 0,
    pageBytes: meter.defaults.pageBytes,
  }
}

/** DELETE of a row that others may refer to, by a session that has to look. */
async function probed({ writer }: Yard, { probe }: CostMeter, effort: Effort): Promise<number> {
  if (probe === undefined) return 0
  const { fill, empty, rows } = probe
  const turn = (count: number) => async () => {
    await writer.query(fill(count))
    return () => writer.query(empty)
  }
  const { one, many } = await mediansOf({ one: turn(1), many: turn(rows) }, effort)
  return (many - one) / (rows - 1)
}

const ALWAYS: Partial<Threshold> = { aboveRows: 0, aboveRowsIfMoved: 0, aboveBytes: 0 }

/** The usual plan, with the choice forced by the name of the table. */
function planFor(
  engine: Engine,
  schema: Schema,
  { mayDisableChecks }: { readonly mayDisableChecks: boolean },
  { defaults }: CostMeter,
): Plan {
  const plan = buildPlan(schema, {
    strategy: 'auto',
    sequences: 'restart',
    keep: [],
    populated: [],
    mayDisableChecks,
    capabilities: engine.capabilities,
    costs: defaults,
  })
  const steps = plan.steps.map((step) => {
    if (step.kind !== 'delete' || step.orTruncate === undefined) return step
    const isCut = step.tables.some((id) => tableOf(schema, id).name.endsWith('_cut'))
    const threshold = { ...step.orTruncate.threshold, ...ALWAYS }
    return { ...step, orTruncate: isCut ? { ...step.orTruncate, threshold } : undefined }
  })
  return { ...plan, steps }
}
