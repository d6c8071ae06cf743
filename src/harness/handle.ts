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
import type { NamedFixtures } from './load-fixtures.ts'

/** Everything that another process needs to lease databases of a harness, as plain JSON. */
export interface HarnessHandle {
  readonly engine: string
  readonly adminUrl: string
  readonly server: Pick<RunningServer, 'kind' | 'data' | 'endsWithRun'>
  readonly project: string
  readonly run: string
  readonly template: string
  readonly options: ResetOptions
  /** Whether the options select strategy `rollback`. */
  readonly rollback: boolean
  readonly tests: TestOptions
  /** The sets of fixtures that `load` takes. */
  readonly fixtures: NamedFixtures
  readonly baseline: BaselineDigest
  /** Costs of DELETE and TRUNCATE on the server. Default: the engine's figures. */
  readonly costs?: Costs | undefined
}

/** Hashes of a database at the baseline. */
export interface BaselineDigest {
  readonly schema: string
  /** A hash of all definitions, if the engine provides one. */
  readonly definitions: string | undefined
  readonly tables: readonly (readonly [id: string, rows: number, hash: string])[]
  readonly sequences: readonly (readonly [id: string, position: string])[]
}

/** The digest of all tables and sequences that the plan resets. */
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

/** Whether the database has the schema, rows and sequence positions of the baseline. */
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

/** Excludes the positions of sequences, and the schema names, which on MySQL are the database's name. */
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
