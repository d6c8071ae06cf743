import type { Engine } from '../engine.ts'
import { benchOf } from './bench.ts'
import { connect, flavorOf, wrap } from './connection.ts'
import { conditions, measure } from './costs.ts'
import { databases } from './databases.ts'
import { erase } from './erase.ts'
import { fingerprint } from './fingerprint.ts'
import type { Flavor } from './flavor.ts'
import { holds } from './holds.ts'
import { introspect, survey } from './introspect.ts'
import { ownership } from './ownership.ts'
import { prepare } from './reset.ts'
import { rows } from './rows.ts'
import { render } from './statements.ts'

/**
 * The engine of one of the two. They differ in name only: which server is at the other end is asked of the
 * server, because `mysql://` URLs lead to MariaDB too.
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
      detectors: ['counters', 'scan'],
    },
    connect,
    wrap,
    recognises: async (connection) => (await flavorOf(connection)).name === name,
    introspect,
    survey,
    prepare,
    render,
    fingerprint,
    databases,
    ownership,
    holds,
    rows,
    costs: { defaults, conditions, measure },
    erase,
    bench: benchOf(bench),
  }
}
