import {
  type ConnectionVariables,
  mappedVariables,
  protocolOf,
  type VariableMapping,
  type VariableReader,
  type Variables,
} from './environment.ts'
import * as mysql from './mysql/environment.ts'
import { wireProtocol as mysqlProtocol } from './mysql/wire-protocol.ts'
import * as postgres from './postgres/environment.ts'
import { wireProtocol as postgresProtocol } from './postgres/wire-protocol.ts'
import type { WireProtocol } from './wire-protocol.ts'

// Of all engines with servers. Apart from `registry.ts`: test workers need these, and load no engine.

/** What the clients of all engines send. */
export const WIRE_PROTOCOLS: readonly WireProtocol[] = [postgresProtocol, mysqlProtocol]

/** How the clients of all engines find their database. */
const ENVIRONMENTS: readonly ConnectionVariables[] = [postgres, mysql]

/** The variables with which other programs find the database of this URL, `DATABASE_URL` first. */
export function variablesOf(url: string, reader: VariableReader, mapping: VariableMapping = {}): Variables {
  const environment = environmentOf(url)
  return {
    DATABASE_URL: url,
    ...environment?.variablesFor(url, reader),
    ...mappedVariables(environment?.partsOf(url) ?? { url }, mapping),
  }
}

/** Chosen by the protocol alone; `undefined` for a file. */
export function environmentOf(url: string): ConnectionVariables | undefined {
  const protocol = protocolOf(url) ?? ''
  return ENVIRONMENTS.find(({ protocols }) => protocols.includes(protocol))
}
