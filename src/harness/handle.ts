import { createHash } from 'node:crypto'
import type { TestOptions } from '../config/options.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import type { Fingerprint } from '../engine/fingerprint.ts'
import type { Costs } from '../plan/cost.ts'
import type { Plan } from '../plan/plan.ts'
import type { ResetOptions } from '../reset/options.ts'
import type { Schema } from '../schema/schema.ts'
import type { RunningServer } from '../server/server.ts'

/** Everything that another process needs to lease databases of a harness: plain JSON. */
export interface HarnessHandle {
  readonly engine: string
  readonly adminUrl: string
  readonly server: Pick<RunningServer, 'kind' | 'data'>
  readonly project: string
  readonly run: string
  readonly template: string
  readonly options: ResetOptions
  /** Whether strategy `rollback` was asked for. */
  readonly rollback: boolean
  readonly tests: TestOptions
  readonly baseline: BaselineDigest
  /** What DELETE and TRUNCATE cost on the server; without, the engine's own figures hold. */
  readonly costs?: Costs | undefined
}

/** What a database at the baseline looks like, in short. */
export interface BaselineDigest {
  readonly schema: string
  /** A hash of every definition, where the engine has one. */
  readonly definitions: string | undefined
  readonly tables: readonly (readonly [id: string, rows: number, hash: string])[]
  readonly sequences: readonly (readonly [id: string, position: string])[]
}

/** Of the tables and sequences that are reset, where the plan has them. */
export function digest(
  schema: Schema,
  plan: Plan,
  { tables }: Fingerprint,
  definitions: string | undefined,
): BaselineDigest {
  return {
    schema: schemaHash(schema),
    definitions,
    tables: plan.order.flat().map((id) => [id, tables.get(id)?.rows ?? 0, tables.get(id)?.hash ?? '']),
    sequences: plan.steps.flatMap((step) =>
      step.kind === 'restart' ? [[step.sequence, `${step.to.value}:${step.to.called}`] as const] : [],
    ),
  }
}

export function fingerprintOf({ tables, sequences }: BaselineDigest): Fingerprint {
  return {
    tables: new Map(tables.map(([id, rows, hash]) => [id, { rows, hash }])),
    sequences: new Map(sequences),
  }
}

/** Whether the database has the baseline's schema, rows and sequence positions. */
export async function isAtBaseline(
  engine: Engine,
  connection: Connection,
  wanted: BaselineDigest,
): Promise<boolean> {
  const schema = await engine.introspect(connection)
  if (schemaHash(schema) !== wanted.schema) return false
  if ((await engine.definitions?.(connection)) !== wanted.definitions) return false
  const now = await engine.fingerprint(connection, schema)
  return (
    wanted.tables.every(([id, rows, hash]) => {
      const table = now.tables.get(id)
      return table !== undefined && table.rows === rows && table.hash === hash
    }) && wanted.sequences.every(([id, position]) => now.sequences.get(id) === position)
  )
}

/** Without the positions, and without the name of the database that MySQL calls a schema. */
function schemaHash({ tables, foreignKeys, sequences, parts }: Schema): string {
  const shape = {
    parts,
    tables: tables.map(({ schema: _, label: __, ...table }) => table),
    foreignKeys,
    sequences: sequences.map(({ id, name, start, increment, min, max, cache, definition }) =>
      [id, name, start, increment, min, max, cache, definition].map(String),
    ),
  }
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex')
}
