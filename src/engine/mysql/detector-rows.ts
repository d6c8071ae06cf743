import type { Connection } from '../connection.ts'
import type { Store } from './routine-store.ts'
import { batch } from './session.ts'

/** Deletes what a snapshot stored for these detectors. Their rows in `detectors` stay. */
export function deleteSnapshotsSql(
  { seen, steps, cascades }: Store,
  ids: readonly (number | string)[],
): string[] {
  return [seen, steps, cascades].map((table) => `DELETE FROM ${table} WHERE detector IN (${ids.join(', ')})`)
}

export function deleteDetectorsSql(store: Store, ids: readonly (number | string)[]): string[] {
  return [...deleteSnapshotsSql(store, ids), `DELETE FROM ${store.detectors} WHERE id IN (${ids.join(', ')})`]
}

/** Deletes detectors of ended sessions, and steps of detectors from before the server's last start. */
export async function pruneDetectors(connection: Connection, store: Store): Promise<void> {
  const { detectors, steps } = store
  const ended = await connection.query(
    `SELECT d.id FROM ${detectors} AS d LEFT JOIN information_schema.processlist AS p ON p.id = d.owner WHERE p.id IS NULL
     UNION SELECT s.detector FROM ${steps} AS s LEFT JOIN ${detectors} AS d ON d.id = s.detector WHERE s.table_index = -1 AND d.id IS NULL`,
  )
  const ids = ended.map(({ id }) => String(id))
  if (ids.length > 0) await batch(connection, deleteDetectorsSql(store, ids))
}
