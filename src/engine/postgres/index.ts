/**
 * In: connections to PostgreSQL and to PGlite.
 * Out: the engine.
 * Called by `engine/registry.ts`.
 */
import { plural } from '../../plan/describe.ts'
import { tableOf } from '../../schema/schema.ts'
import type { Engine } from '../engine.ts'
import { bench } from './bench.ts'
import { bulkInsert } from './bulk-insert.ts'
import { readCatalog } from './catalog.ts'
import { connect, refuseSharedSession, wrap } from './connection.ts'
import { costs } from './costs.ts'
import { databases } from './databases.ts'
import { definitionsHash } from './definitions.ts'
import { protocols } from './environment.ts'
import { erase } from './erase.ts'
import { fingerprint } from './fingerprint.ts'
import { introspect } from './introspect.ts'
import { countObjects } from './objects.ts'
import { openResources } from './open-resources.ts'
import { ownership } from './ownership.ts'
import { emptyPartitionedTables } from './partition-files.ts'
import { only } from './quote.ts'
import { refusedRows, WAY_OUT } from './refused-rows.ts'
import { prepare } from './reset.ts'
import { rows } from './rows.ts'
import { statementsOf } from './statements.ts'
import { begin } from './transaction/begin.ts'
import { withoutPassword } from './url.ts'
import { readWithLockTimeout } from './with-lock-timeout.ts'

/** PostgreSQL 15 and later, and PGlite by handle. */
export const postgres: Engine = {
  name: 'postgres',
  title: 'PostgreSQL',
  protocols,
  capabilities: {
    truncate: true,
    truncateRestarts: false,
    truncateNeedsClosure: true,
    atomicReset: true,
    baselineInTemplate: false,
    copiesShareIds: true,
    detectors: ['wal', 'scan'],
  },
  connect,
  wrap,
  begin,
  async isServerOf(connection) {
    await refuseSharedSession(connection)
    return true
  },
  introspect,
  definitions: definitionsHash,
  prepare,
  async warnings(connection, schema, plan) {
    const found = await refusedRows(connection, schema, plan)
    return found.map((what) => `${what}: a test that writes there has its database recreated. ${WAY_OUT}.`)
  },
  fingerprint,
  databases,
  ownership,
  openResources: openResources,
  countObjects,
  rows,
  bulkInsert,
  costs,
  // psql reads the variables of libpq.
  clientProgram: {
    names: ['psql'],
    argumentsFor: () => [],
    typedArguments: (url, { showPassword }) => [showPassword ? url : withoutPassword(url)],
    install: 'Debian: apt install postgresql-client; macOS: brew install libpq',
  },
  erase,
  bench,

  async inspectState(connection, schema) {
    const local = schema.tables.filter(
      ({ traits }) => !traits.includes('foreign') && !traits.includes('unfilled'),
    )
    const empty = await emptyPartitionedTables(connection, { tables: local })
    const unknown = local.filter(({ id }) => !empty.has(id))
    const probes = unknown.map(
      (table) => `SELECT '${table.id}' AS id WHERE EXISTS (SELECT FROM ${only(table)})`,
    )
    const rows = probes.length === 0 ? [] : await readWithLockTimeout(connection, probes.join(' UNION ALL '))
    const [role] = await readCatalog(
      connection,
      `SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET') AS allowed`,
    )
    return { populated: rows.map(({ id }) => String(id)), mayDisableChecks: role?.allowed === true }
  },

  render: (schema, plan) =>
    plan.steps.map((step) => {
      const sql = statementsOf(schema, plan, step).join(';\n')
      if (step.kind !== 'delete' || step.truncateAlternative === undefined) return sql
      const { tables, threshold } = step.truncateAlternative
      const names = tables.map((id) => only(tableOf(schema, id))).join(', ')
      return `${sql}\n-- above ${plural(threshold.aboveRows, 'row')}: TRUNCATE ${names}`
    }),
}
