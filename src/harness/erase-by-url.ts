import { DEFAULT_LOCK_TIMEOUT_MS } from '../config/options.ts'
import { guardEnvironment, requireMark } from '../database/guard.ts'
import { open } from '../engine/registry.ts'
import { erase, type PurgeOptions, purge } from '../erase/erase.ts'
import { type EraseView, explainErase } from '../erase/explain.ts'
import { namedTable } from '../erase/named-table.ts'
import type { EraseOptions } from '../erase/options.ts'
import type { EraseReport } from '../erase/report.ts'
import type { EraseContext } from '../erase/run-transaction.ts'
import type { Where } from '../erase/where.ts'
import { withCleanUp } from '../errors.ts'
import { examine } from './attach.ts'
import { withProof } from './erase-connection.ts'

/** Servers on other machines that exist for tests only, each as `host:port#system_identifier`. */
export interface AllowOption {
  readonly allow?: readonly string[]
}

/**
 * `TestDatabase.erase` for a database that afresh created or that was adopted (`afresh adopt`), without
 * capturing its baseline. Other clients may be connected, because only selected rows are deleted.
 *
 * @throws RefusedError for any other database; it is unchanged
 * @throws AfreshError as `TestDatabase.erase` does
 */
export async function eraseFrom(
  url: string,
  table: string,
  where: Where,
  { allow = [], ...options }: EraseOptions & AllowOption = {},
): Promise<EraseReport> {
  return onMarked(url, allow, (context) => erase(context, table, where, options))
}

/** `TestDatabase.purge` for such a database. Throws as `eraseFrom` does. */
export async function purgeFrom(
  url: string,
  { allow = [], ...options }: PurgeOptions & AllowOption = {},
): Promise<EraseReport> {
  return onMarked(url, allow, (context) => purge(context, options))
}

/**
 * What an erase would do, derived from the catalog alone. Reads no row and changes nothing, so it accepts any
 * database.
 *
 * @throws AfreshError `usage`, `server`
 */
export async function planErase(url: string, table: string, options: EraseOptions = {}): Promise<EraseView> {
  const { engine, connection } = await open(url)
  return withCleanUp(
    async () => {
      const schema = await engine.introspect(connection)
      const { label } = await namedTable({ engine, connection, schema }, table)
      return explainErase(schema, label, options)
    },
    () => connection.close(),
  )
}

async function onMarked<T>(
  url: string,
  allow: readonly string[],
  body: (context: EraseContext) => Promise<T>,
): Promise<T> {
  guardEnvironment()
  const opened = await open(url, { names: 'both' })
  return withCleanUp(
    async () => {
      const takeover = await examine(opened, allow)
      const mark = await requireMark(takeover, { isShared: true })
      const context = { ...opened, schema: takeover.schema, lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS }
      return withProof(context, mark === undefined ? undefined : { mark }, body)
    },
    () => opened.connection.close(),
  )
}
