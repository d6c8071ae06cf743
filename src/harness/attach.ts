import { type AttachOptions, parseAttachOptions } from '../config/options.ts'
import { readServerCosts } from '../costs/store.ts'
import {
  claimOwnership,
  guardEnvironment,
  guardServer,
  type OwnershipRequest,
  readMark,
} from '../database/guard.ts'
import type { Connection } from '../engine/connection.ts'
import { type Opened, open, wrap } from '../engine/registry.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { rollbacks } from '../reset/rollback.ts'
import { openSession } from '../reset/session.ts'
import { settledWithin } from '../util/with-timeout.ts'
import { environmentOf } from './environment.ts'
import { eraseConnectionOn } from './erase-connection.ts'
import { failureOf, sessionLost } from './failure.ts'
import { whileServerAnswers } from './liveness.ts'
import { openResourcesOn, wasReleased } from './open-resources.ts'
import type { TestDatabase } from './test-database.ts'

const ASK_MS = 1_000

/**
 * Makes an existing test database resettable. Its current contents are the baseline until `release`.
 *
 * afresh must be allowed to change the database: it is marked (`afresh adopt`), has no rows in any table, or
 * lives in this process (SQLite in memory, PGlite).
 *
 * @param target a URL, or an open client: `pg` Client, `mysql2` connection, PGlite, `node:sqlite`,
 * `better-sqlite3`
 * @throws RefusedError for a database that afresh must not change; it is unchanged
 * @throws AfreshError `usage`, `server`, `plan`
 */
export async function attach(target: string | object, options: AttachOptions = {}): Promise<TestDatabase> {
  const { reset, rollback, allow } = parseAttachOptions(options)
  guardEnvironment()
  const opened = typeof target === 'string' ? await open(target) : await wrap(target)
  const { engine, connection } = opened
  try {
    if (rollback && connection.endpoint === undefined) throw noServer(engine.title)
    const { mark, isTemporary } = await claimOwnership(await examine(opened, allow))
    const claim = mark === undefined ? undefined : { mark }
    /** Only a person gives a permanent mark. This one is temporary: the empty database may not stay empty. */
    const giveBack = async (on = connection) => {
      if (isTemporary && mark !== undefined) await engine.ownership.erase(on, mark)
    }
    const giveBackAnew = async () => {
      if (!isTemporary || connection.url === undefined) return
      const { connection: again } = await open(connection.url)
      await withCleanUp(
        () => giveBack(again),
        () => again.close(),
      )
    }
    const session = await withUndo(
      async () => {
        const costs = await readServerCosts(opened)
        return openSession({
          engine,
          connection,
          options: reset,
          claim,
          costs,
        })
      },
      () => giveBack(),
    )
    const { begin, settled, ...around } = rollbacks(
      { database: connection.database, waitMs: reset.lockTimeoutMs },
      rollback,
    )
    let released: Promise<void> | undefined
    const eraseConnection = eraseConnectionOn(async () => {
      if (released !== undefined) throw wasReleased(connection.database)
      await settled()
      return { engine, connection, session, claim }
    })
    const alive = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
      try {
        return await whileServerAnswers(work, { engine, url: connection.url, doing })
      } catch (cause) {
        const error = failureOf(cause, doing)
        throw error.code === 'server' && (await isLost(connection))
          ? sessionLost(connection.database, error)
          : error
      }
    }
    const release = (): Promise<void> => {
      released ??= withCleanUp(
        async () => {
          await around.abandon()
          await eraseConnection.close()
          // The state of the session ended with it, but the mark is still in the database.
          if (await isLost(connection)) await giveBackAnew()
          else
            await withCleanUp(
              () => session.close(),
              () => giveBack(),
            )
        },
        () => connection.close(),
      )
      return released
    }
    return {
      name: connection.database,
      url: connection.url ?? '',
      env: connection.url === undefined ? {} : environmentOf(connection.url),
      async begin(client) {
        if (released !== undefined) throw wasReleased(connection.database)
        await begin(client)
      },
      reset: () => alive('a reset was under way', () => around.reset(async () => session)),
      verify: () => alive('it was compared with its baseline', session.verify),
      erase: eraseConnection.erase,
      purge: eraseConnection.purge,
      ...openResourcesOn(engine, connection),
      release,
      [Symbol.asyncDispose]: release,
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** `false` if the server is silent: the session may still exist. */
async function isLost(connection: Connection): Promise<boolean> {
  let failed = false
  const asked = connection.query('SELECT 1').catch(() => {
    failed = true
  })
  await settledWithin(asked, ASK_MS)
  return failed
}

function noServer(title: string): AfreshError {
  return new AfreshError('usage', `strategy: ${title} in this process has no strategy "rollback".`, {
    next: 'Leave it out: afresh and the test share the handle, and a reset takes no round trip.',
  })
}

/** Checks the server with the guard, then reads the catalog and which tables have rows. Changes nothing. */
export async function examine(
  { engine, connection }: Opened,
  allow: readonly string[],
): Promise<OwnershipRequest> {
  const { databases } = engine
  if (databases !== undefined) {
    const facts = await databases.facts(connection)
    // An adopted database may contain rows: its owner has confirmed that.
    const foreignRows = async () => {
      const { isForGood } = await readMark({ engine, connection })
      return databases.foreignRows(connection, { except: isForGood ? connection.database : undefined })
    }
    await guardServer({ endpoint: connection.endpoint, facts, startedByAfresh: false, allow, foreignRows })
  }
  const schema = await engine.introspect(connection)
  const { populated } = await engine.inspectState(connection, schema)
  return { engine, connection, schema, populated }
}
