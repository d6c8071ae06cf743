import { createHash } from 'node:crypto'
import type { Connection } from '../connection.ts'
import { repeatDeadlocked } from './deadlocks.ts'
import { ROUTINE_EXISTS } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { createRegistry, REGISTRY } from './ownership.ts'
import { literal } from './quote.ts'
import { bodyOf, KEPT_BY_ROUTINE } from './routine.ts'
import { type Store, storeOf, tablesOf } from './routine-store.ts'
import { BatchError, batch, type Setting, settingsOf } from './session.ts'

/** Creates missing tables and the procedure. Returns their names and the settings that it changes. */
export async function createRoutine(
  connection: Connection,
): Promise<{ readonly store: Store; readonly settings: readonly Setting[] }> {
  const flavor = await flavorOf(connection)
  const settings = settingsOf(flavor, 'seconds').filter(({ name }) => !KEPT_BY_ROUTINE.has(name))
  const textOf = (store: Store) => [...tablesOf(store), bodyOf(flavor, settings, store)].join()
  const digest = createHash('sha256')
    .update(textOf(storeOf('')))
    .digest('hex')
    .slice(0, 12)
  const store = storeOf(digest)
  // Each CREATE, even one without effect, makes all workers compare their definitions.
  if (await isThere(connection, digest)) {
    await dropUnused(connection, digest)
    return { store, settings }
  }
  await createRegistry(connection)
  await dropUnused(connection, digest)
  await repeatDeadlocked(() =>
    batch(connection, tablesOf(store), {
      settings: [{ name: 'max_heap_table_size', value: '268435456' }],
    }),
  )
  try {
    await batch(connection, [
      `CREATE PROCEDURE ${store.procedure} (IN detector_id BIGINT, IN db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, IN acts INT, IN seconds INT)
       MODIFIES SQL DATA SQL SECURITY INVOKER ${bodyOf(flavor, settings, store)}`,
    ])
  } catch (error) {
    if (!(error instanceof BatchError) || error.errno !== ROUTINE_EXISTS) throw error
  }
  return { store, settings }
}

async function isThere(connection: Connection, digest: string): Promise<boolean> {
  const named = ['detectors', 'seen', 'cascades', 'steps'].map((kind) => literal(`${kind}_${digest}`))
  const [row] = await connection.query(
    `SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ${literal(REGISTRY)}
       AND table_name IN (${named.join(', ')})) AS tables, (SELECT COUNT(*) FROM information_schema.routines
       WHERE routine_schema = ${literal(REGISTRY)} AND routine_name = ${literal(`reset_${digest}`)}) AS routines`,
  )
  return Number(row?.tables) === named.length && Number(row?.routines) === 1
}

/** Drops what another version of afresh left, unless a session uses it. */
async function dropUnused(connection: Connection, own: string): Promise<void> {
  const others = await connection.query(
    `SELECT RIGHT(table_name, 12) AS digest FROM information_schema.tables
     WHERE table_schema = ${literal(REGISTRY)} AND table_name REGEXP '^detectors_[0-9a-f]{12}$' AND RIGHT(table_name, 12) <> ${literal(own)}`,
  )
  for (const { digest } of others) {
    const { detectors, seen, cascades, steps, procedure } = storeOf(String(digest))
    const live = await connection.query(
      `SELECT 1 AS live FROM ${detectors} AS d JOIN information_schema.processlist AS p ON p.id = d.owner LIMIT 1`,
    )
    if (live.length > 0) continue
    await batch(connection, [
      `DROP PROCEDURE IF EXISTS ${procedure}`,
      // `detectors` last: the query above finds the other versions by it.
      ...[seen, cascades, steps, detectors].map((table) => `DROP TABLE IF EXISTS ${table}`),
    ])
  }
}
