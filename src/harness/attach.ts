import { type AttachOptions, type ParsedAttachOptions, parseAttachOptions } from '../config/options.ts'
import { readServerCosts } from '../costs/store.ts'
import {
  claimOwnership,
  guardConnected,
  guardEnvironment,
  type OwnershipGrant,
  type OwnershipRequest,
  readMark,
} from '../database/guard.ts'
import type { Connection } from '../engine/connection.ts'
import { type Opened, open, wrap } from '../engine/registry.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import type { OutsideWork } from '../reset/rollback-errors.ts'
import { openSession, type ResetSession } from '../reset/session.ts'
import { once } from '../util/once.ts'
import { settledWithin } from '../util/with-timeout.ts'
import { aroundTest } from './around-test.ts'
import { environmentOf } from './environment.ts'
import { eraseConnectionOn } from './erase-connection.ts'
import { failureOf, sessionLost } from './failure.ts'
import { whileServerAnswers } from './liveness.ts'
import { openResourcesOn, wasReleased } from './open-resources.ts'
import { type SnapshotSource, Snapshots, snapshotMethods } from './snapshots.ts'
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
  const { reset, rollback, allow, fixtures } = parseAttachOptions(options)
  guardEnvironment()
  const opened = typeof target === 'string' ? await open(target) : await wrap(target)
  return withUndo(
    async () => {
      if (rollback && opened.connection.endpoint === undefined) throw noServer(opened.engine.title)
      const grant = await claimOwnership(await examine(opened, allow))
      const claim = grant.mark === undefined ? undefined : { mark: grant.mark }
      return withUndo(
        async () => {
          const costs = await readServerCosts(opened)
          const session = await openSession({ ...opened, options: reset, claim, costs })
          const state = { ...opened, session, claim, options: reset, costs }
          return attachedDatabase(opened, grant, state, { rollback, fixtures })
        },
        () => giveBack(opened, grant),
      )
    },
    () => opened.connection.close(),
  )
}

function attachedDatabase(
  opened: Opened,
  grant: OwnershipGrant,
  state: SnapshotSource & { readonly session: ResetSession },
  { rollback, fixtures }: Pick<ParsedAttachOptions, 'rollback' | 'fixtures'>,
): TestDatabase {
  const { engine, connection } = opened
  const { session } = state
  const waitMs = session.lockTimeoutMs
  const { begin, settled, ...around } = aroundTest({ database: connection.database, waitMs }, rollback)
  let isReleased = false
  const usable = async (kind?: OutsideWork) => {
    if (isReleased) throw wasReleased(connection.database)
    if (kind !== undefined) await settled(kind)
    return state
  }
  const eraseConnection = eraseConnectionOn(usable, { fixtures })
  const snapshots = new Snapshots(() => usable())
  const release = once(async () => {
    isReleased = true
    await withCleanUp(
      async () => {
        await around.abandon()
        await eraseConnection.close()
        await snapshots.drop()
        await endSession(opened, grant, session)
      },
      () => connection.close(),
    )
  })
  return {
    name: connection.database,
    url: connection.url ?? '',
    env: connection.url === undefined ? {} : environmentOf(connection.url),
    async begin(client) {
      if (isReleased) throw wasReleased(connection.database)
      await begin(client)
    },
    reset: () => whileAlive(opened, 'a reset was under way', () => around.reset(async () => session)),
    verify: () => whileAlive(opened, 'it was compared with its baseline', session.verify),
    erase: eraseConnection.erase,
    purge: eraseConnection.purge,
    load: eraseConnection.load,
    ...snapshotMethods(snapshots, { settled, reset: around.reset }),
    keepCopy: async () => {
      throw new AfreshError(
        'usage',
        'keepCopy: this database was attached, and only leased ones can be copied.',
        {
          next: 'Lease a database of a harness, or dump this one by the tools of its server.',
        },
      )
    },
    ...openResourcesOn(engine, connection),
    release,
    [Symbol.asyncDispose]: release,
  }
}

/** @throws AfreshError `server`, saying so, if the server is silent or the session was lost */
async function whileAlive<T>(
  { engine, connection }: Opened,
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await whileServerAnswers(work, { engine, url: connection.url, doing })
  } catch (cause) {
    const error = failureOf(cause, doing)
    throw error.code === 'server' && (await isLost(connection))
      ? sessionLost(connection.database, error)
      : error
  }
}

/** If the session was lost, its state ended with it, but the mark is still in the database. */
async function endSession(opened: Opened, grant: OwnershipGrant, session: ResetSession): Promise<void> {
  const { connection } = opened
  if (!(await isLost(connection))) {
    return withCleanUp(
      () => session.close(),
      () => giveBack(opened, grant),
    )
  }
  if (!grant.isTemporary || connection.url === undefined) return
  const again = await open(connection.url)
  await withCleanUp(
    () => giveBack(again, grant),
    () => again.connection.close(),
  )
}

/** Only a person gives a permanent mark. A temporary one is removed: the empty database may not stay empty. */
async function giveBack(
  { engine, connection }: Opened,
  { mark, isTemporary }: OwnershipGrant,
): Promise<void> {
  if (isTemporary && mark !== undefined) await engine.ownership.erase(connection, mark)
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
    // An adopted database may contain rows: its owner has confirmed that.
    const foreignRows = async () => {
      const { isForGood } = await readMark({ engine, connection })
      return databases.foreignRows(connection, { except: isForGood ? connection.database : undefined })
    }
    await guardConnected({ databases, connection }, { startedByAfresh: false, allow, foreignRows })
  }
  const schema = await engine.introspect(connection)
  const { populated } = await engine.inspectState(connection, schema)
  return { engine, connection, schema, populated }
}
