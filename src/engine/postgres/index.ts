import { plural } from '../../plan/describe.ts'
import { tableOf } from '../../schema/schema.ts'
import type { Engine } from '../engine.ts'
import { bench } from './bench.ts'
import { readBounded } from './bounded.ts'
import { connect, wrap } from './connection.ts'
import { costs } from './costs.ts'
import { databases } from './databases.ts'
import { erase } from './erase.ts'
import { fingerprint } from './fingerprint.ts'
import { holds } from './holds.ts'
import { introspect } from './introspect.ts'
import { ownership } from './ownership.ts'
import { only } from './quote.ts'
import { prepare } from './reset.ts'
import { rows } from './rows.ts'
import { statementsOf } from './statements.ts'

/** PostgreSQL 15 and later, and PGlite by handle. */
export const postgres: Engine = {
  name: 'postgres',
  title: 'PostgreSQL',
  protocols: ['postgres', 'postgresql'],
  capabilities: {
    truncate: true,
    truncateRestarts: false,
    truncateNeedsClosure: true,
    atomicReset: true,
    baselineInTemplate: false,
    detectors: ['wal', 'scan'],
  },
  connect,
  wrap,
  recognises: async () => true,
  introspect,
  prepare,
  fingerprint,
  databases,
  ownership,
  holds,
  rows,
  costs,
  erase,
  bench,

  async survey(connection, schema) {
    const local = schema.tables.filter(({ traits }) => !traits.includes('foreign'))
    const probes = local.map(
      (table) => `SELECT '${table.id}' AS id WHERE EXISTS (SELECT FROM ${only(table)})`,
    )
    const rows = probes.length === 0 ? [] : await readBounded(connection, probes.join(' UNION ALL '))
    const [role] = await connection.query(
      `SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET') AS allowed`,
    )
    return { populated: rows.map(({ id }) => String(id)), mayDisableChecks: role?.allowed === true }
  },

  render: (schema, plan) =>
    plan.steps.map((step) => {
      const sql = statementsOf(schema, plan, step).join(';\n')
      if (step.kind !== 'delete' || step.orTruncate === undefined) return sql
      const { tables, threshold } = step.orTruncate
      const names = tables.map((id) => only(tableOf(schema, id))).join(', ')
      return `${sql}\n-- above ${plural(threshold.aboveRows, 'row')}: TRUNCATE ${names}`
    }),
}
