import type { Connection } from '../engine.ts'
import { flavorOf } from './connection.ts'

/**
 * Who else holds locks in this database, in words: asked after a wait has timed out, for people to find the test
 * that left it.
 */
export async function blockersOf(connection: Connection): Promise<string> {
  const { blockers } = await flavorOf(connection)
  const rows = await connection.query(blockers).catch(() => undefined)
  if (rows === undefined) {
    return 'End the transaction that is in the way; GRANT PROCESS and SELECT ON performance_schema.* to see whose it is.'
  }
  if (rows.length === 0) return 'Whoever held the lock is gone by now; reset again.'
  const lines = rows.map(
    ({ id, who, state, query }) => `connection ${id} (${who}), ${state}: ${shown(query)}`,
  )
  return `End the transaction that is in the way (a test left it open):\n    ${lines.join('\n    ')}`
}

function shown(query: unknown): string {
  return query === null || query === undefined ? 'idle' : String(query).replace(/\s+/g, ' ').slice(0, 200)
}
