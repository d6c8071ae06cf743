import type { Engine } from '../engine.ts'
import { benchOf } from './bench.ts'
import { bulkInsert } from './bulk-insert.ts'
import { clientProgram } from './client-program.ts'
import { connect, wrap } from './connection.ts'
import { conditions, measure } from './costs.ts'
import { databases } from './databases.ts'
import { erase } from './erase.ts'
import { fingerprint } from './fingerprint.ts'
import type { Flavor } from './flavor.ts'
import { flavorOf } from './flavor-of.ts'
import { inspectState, introspect } from './introspect.ts'
import { countObjects } from './objects.ts'
import { openResources } from './open-resources.ts'
import { ownership } from './ownership.ts'
import { prepare } from './reset.ts'
import { rows } from './rows.ts'
import { render } from './statements.ts'
import { begin } from './transaction/begin.ts'
import { unconfinedWarning } from './unconfined.ts'

/**
 * The engine of MySQL or MariaDB. The two differ in name only: each connection asks the server for its
 * flavor, because `mysql://` URLs lead to MariaDB as well.
 */
export function engineOf({ name, title, protocols, costs: defaults, bench }: Flavor): Engine {
  return {
    name,
    title,
    protocols,
    capabilities: {
      truncate: true,
      truncateRestarts: true,
      truncateNeedsClosure: false,
      atomicReset: false,
      baselineInTemplate: true,
      copiesShareIds: false,
      detectors: ['counters', 'scan'],
    },
    connect,
    wrap,
    begin,
    isServerOf: async (connection) => (await flavorOf(connection)).name === name,
    introspect,
    inspectState,
    prepare,
    render,
    fingerprint,
    databases,
    ownership,
    openResources: openResources,
    countObjects,
    unconfinedWarning,
    rows,
    bulkInsert,
    costs: { defaults, conditions, measure },
    clientProgram: clientProgram(name),
    erase,
    bench: benchOf(bench),
  }
}
