import type { Connection } from '../../../src/engine/connection.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import type { Outcome, Program, Resetter } from '../../../src/engine/resetter.ts'
import { describeStep } from '../../../src/plan/describe.ts'
import { type Plan, type Step, select } from '../../../src/plan/plan.ts'
import type { ForeignKey, Schema, SubjectId, Table } from '../../../src/schema/schema.ts'

/** A minimal database: rows by table, and which column refers to which table. */
export interface ToyDatabase {
  readonly rows: Map<string, Record<string, number>[]>
  readonly references: readonly { readonly from: string; readonly column: string; readonly to: string }[]
}

/** The smallest engine that supports resets. docs/adding-an-engine.md explains it. */
export const toy: Engine = {
  name: 'toy',
  title: 'Toy',
  protocols: ['toy'],
  capabilities: {
    truncate: false,
    truncateRestarts: false,
    truncateNeedsClosure: false,
    atomicReset: true,
    baselineInTemplate: false,
    copiesShareIds: false,
    detectors: ['scan'],
  },

  connect: async () => {
    throw new Error('the toy has no server')
  },
  isServerOf: async (connection) => databases.has(connection),
  wrap: (client) => (isToy(client) ? connectionOf(client) : undefined),

  introspect: async (connection) => schemaOf(databaseOf(connection)),
  inspectState: async (connection, { tables }) => ({
    populated: tables.map(({ id }) => id).filter((id) => databaseOf(connection).rows.get(id)?.length !== 0),
    mayDisableChecks: false,
  }),
  prepare: async (connection, program) => resetterOf(databaseOf(connection), program),
  render: (schema, plan) => plan.steps.map((step) => describeStep(schema, step)),
  fingerprint: async (connection) => ({
    tables: new Map(
      [...databaseOf(connection).rows].map(([id, rows]) => [
        id,
        { rows: rows.length, hash: JSON.stringify(rows) },
      ]),
    ),
    sequences: new Map(),
  }),

  databases: undefined,
  ownership: {
    read: async () => undefined,
    expected: async () => ({ server: 'toy', database: 'toy' }),
    write: async (_connection, mark) => mark,
    erase: async () => {},
    proof: async () => ({ sql: '', values: [] }) as never,
    whyRefused: async () => undefined,
    isPrivate: async () => true,
  },
  get bulkInsert(): never {
    throw new Error('the toy reads no files')
  },
  get erase(): never {
    throw new Error('the toy deletes no selected rows')
  },
  get bench(): never {
    throw new Error('nobody measures the toy')
  },
}

const databases = new WeakMap<Connection, ToyDatabase>()

function isToy(client: unknown): client is ToyDatabase {
  return typeof client === 'object' && client !== null && 'rows' in client && client.rows instanceof Map
}

function connectionOf(database: ToyDatabase): Connection {
  const connection: Connection = {
    url: undefined,
    endpoint: undefined,
    database: 'toy',
    owned: true,
    query: async () => {
      throw new Error('the toy has no SQL')
    },
    change: async () => {
      throw new Error('the toy has no SQL')
    },
    script: async () => {
      throw new Error('the toy has no SQL')
    },
    close: async () => {},
  }
  databases.set(connection, database)
  return connection
}

function databaseOf(connection: Connection): ToyDatabase {
  const database = databases.get(connection)
  if (database === undefined) throw new TypeError('not a connection of the toy')
  return database
}

function schemaOf({ rows, references }: ToyDatabase): Schema {
  const tables = [...rows.keys()].map(
    (name): Table => ({
      ...{ id: name, schema: 'toy', name, label: name, primaryKey: ['id'] },
      ...{ columns: [], traits: [], triggers: [], inherits: [], partitions: [] },
    }),
  )
  const foreignKeys = references.map(
    ({ from, column, to }): ForeignKey => ({
      ...{ name: `${from}_${column}`, from, columns: [column], to, referencedColumns: ['id'] },
      ...{ onDelete: 'restrict', onUpdate: 'restrict', deferrable: false },
    }),
  )
  return { tables, foreignKeys, sequences: [] }
}

function resetterOf(database: ToyDatabase, { plan }: Program): Resetter {
  const baseline = new Map([...database.rows].map(([id, rows]) => [id, structuredClone(rows)]))
  const dirty = (): SubjectId[] =>
    [...database.rows.keys()].filter(
      (id) => JSON.stringify(database.rows.get(id)) !== JSON.stringify(baseline.get(id)),
    )
  return {
    reset: async () => resetTo(database, baseline, plan, dirty()),
    detect: async () => dirty(),
    close: async () => {},
  }
}

function resetTo(
  database: ToyDatabase,
  baseline: ToyDatabase['rows'],
  plan: Plan,
  dirty: SubjectId[],
): Outcome {
  const ran = select(plan, new Set(dirty)).map(({ index, step }) => ({
    step: index,
    rows: run(database, baseline, step),
    truncated: false,
  }))
  return { detector: 'scan', why: 'it has no other', dirty, ran }
}

/** Returns the number of deleted or inserted rows. */
function run(database: ToyDatabase, baseline: ToyDatabase['rows'], step: Step): number {
  const tables = 'tables' in step ? step.tables : 'table' in step ? [step.table] : []
  return tables.reduce((sum, id) => {
    const rows = database.rows.get(id) ?? []
    const wanted = step.kind === 'insert-missing' ? (baseline.get(id) ?? []) : []
    if (step.kind !== 'insert-missing') refuseReferenced(database, id)
    database.rows.set(id, structuredClone(wanted))
    return sum + Math.abs(rows.length - wanted.length)
  }, 0)
}

/** Fails like a server on an order that a plan has to avoid. */
function refuseReferenced({ rows, references }: ToyDatabase, id: string): void {
  for (const { from, column, to } of references)
    if (to === id && rows.get(from)?.some((row) => row[column] !== undefined))
      throw new Error(`rows of ${from} refer to ${id}`)
}
