import { guardEnvironment, guardServer, markOn } from '../database/guard.ts'
import { type Opened, open } from '../engine/registry.ts'
import { erase, type PurgeOptions, purge } from '../erase/erase.ts'
import { type EraseView, explainErase } from '../erase/explain.ts'
import type { EraseOptions } from '../erase/options.ts'
import type { EraseReport } from '../erase/report.ts'
import type { Ground } from '../erase/transact.ts'
import type { Where } from '../erase/where.ts'
import { RefusedError, withCleanUp } from '../errors.ts'

/** Servers that are not on this machine and there for tests only: `host:port#system_identifier`. */
export interface AllowOption {
  readonly allow?: readonly string[]
}

/**
 * `TestDatabase.erase` in a database that was made by afresh or handed over to it (`afresh adopt`), without its baseline
 * being captured. Other people may be connected: only rows that are selected go.
 *
 * @throws RefusedError for any other database; it is untouched
 * @throws AfreshError as `TestDatabase.erase` does
 */
export async function eraseFrom(
  url: string,
  table: string,
  where: Where,
  { allow = [], ...options }: EraseOptions & AllowOption = {},
): Promise<EraseReport> {
  return onMarked(url, allow, (ground) => erase(ground, table, where, options))
}

/** `TestDatabase.purge` in such a database. Throws as `eraseFrom` does. */
export async function purgeFrom(
  url: string,
  { allow = [], ...options }: PurgeOptions & AllowOption = {},
): Promise<EraseReport> {
  return onMarked(url, allow, (ground) => purge(ground, options))
}

/**
 * What an erase would do, of the catalog alone: no row is read and nothing changed, so that any database may be looked at.
 *
 * @throws AfreshError `usage`, `server`
 */
export async function planErase(url: string, table: string, options: EraseOptions = {}): Promise<EraseView> {
  const { engine, connection } = await open(url)
  return withCleanUp(
    async () => explainErase(await engine.introspect(connection), table, options),
    () => connection.close(),
  )
}

async function onMarked<T>(
  url: string,
  allow: readonly string[],
  body: (ground: Ground) => Promise<T>,
): Promise<T> {
  guardEnvironment()
  const opened = await open(url)
  return withCleanUp(
    async () => {
      await requireMark(opened, allow)
      return body({ ...opened, schema: await opened.engine.introspect(opened.connection) })
    },
    () => opened.connection.close(),
  )
}

async function requireMark({ engine, connection }: Opened, allow: readonly string[]): Promise<void> {
  if (engine.databases !== undefined) {
    const facts = await engine.databases.facts(connection)
    await guardServer({ endpoint: connection.endpoint, facts, ours: false, allow })
  }
  if (await engine.ownership.isPrivate(connection)) return
  const { mark, isValid } = await markOn({ engine, connection })
  if (isValid) return
  const evidence =
    mark === undefined ? 'it carries no mark of afresh' : `its mark was made for another database (${mark})`
  throw new RefusedError(`The database "${connection.database}" is not afresh's to change: ${evidence}.`, {
    next: 'If everything in it may be lost, have a person hand it over by name: afresh adopt --url …',
  })
}
