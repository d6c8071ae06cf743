import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { AfreshError } from '../errors.ts'
import type { TestDatabase } from './test-database.ts'

export function openResourcesOn(
  { openResources: finder }: Engine,
  connection: Connection,
): Pick<TestDatabase, 'openResources' | 'endOpenResources'> {
  return {
    openResources: async () => (await finder?.find(connection)) ?? [],
    endOpenResources: async (found) => {
      const sessions = found.flatMap(({ session }) => session ?? [])
      if (sessions.length > 0) await finder?.end(connection, [...new Set(sessions)])
    },
  }
}

export function wasReleased(name: string): AfreshError {
  return new AfreshError('usage', `The database "${name}" was released.`, { next: 'Lease another one.' })
}
