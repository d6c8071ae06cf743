/**
 * In: handles of SQLite databases.
 * Out: the engine.
 * Called by `engine/registry.ts`.
 */
import type { Engine } from '../engine.ts'
import { bench } from './bench.ts'
import { bulkInsert } from './bulk-insert.ts'
import { connect, pathOf, sqliteOf, wrap } from './connection.ts'
import { erase } from './erase.ts'
import { fingerprint } from './fingerprint.ts'
import { introspect } from './introspect.ts'
import { ownership } from './ownership.ts'
import { prepare } from './reset.ts'
import { nameOf, render } from './statements.ts'

export const sqlite: Engine = {
  name: 'sqlite',
  title: 'SQLite',
  capabilities: {
    truncate: false,
    truncateRestarts: false,
    truncateNeedsClosure: false,
    atomicReset: true,
    baselineInTemplate: false,
    copiesShareIds: false,
    detectors: ['counters', 'scan'],
  },
  protocols: ['sqlite', 'file'],

  connect,
  isServerOf: async (connection) => 'db' in connection,
  wrap,
  introspect: async (connection) => introspect(sqliteOf(connection).db),
  inspectState: async (connection, schema) => {
    const { db } = sqliteOf(connection)
    const isPopulated = (sql: string) => db.all(sql).length > 0
    return {
      populated: schema.tables
        .filter((table) => isPopulated(`SELECT 1 FROM ${nameOf(table)} LIMIT 1`))
        .map(({ id }) => id),
      // Foreign keys by a pragma outside of transactions; triggers by dropping them inside one.
      mayDisableChecks: true,
    }
  },
  prepare: (connection, program) => prepare(sqliteOf(connection), program),
  render,
  fingerprint: async (connection, schema) => fingerprint(sqliteOf(connection).db, schema),

  databases: undefined,
  ownership,
  bulkInsert,
  clientProgram: {
    names: ['sqlite3'],
    argumentsFor: (url) => [pathOf(url)],
    typedArguments: (url) => [pathOf(url)],
    install: 'Debian: apt install sqlite3; macOS has it',
  },
  erase,
  bench,
}
