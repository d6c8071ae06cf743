import { type AttachOptions, parseAttachOptions } from '../config.ts'
import { recallCosts } from '../costs/store.ts'
import { guardEnvironment, guardServer, type Takeover, takeOver } from '../database/guard.ts'
import { type Opened, open, wrap } from '../engine/registry.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { rollbacks } from '../reset/rollback/rollback.ts'
import { openSession } from '../reset/session.ts'
import { eraserOn } from './eraser.ts'
import { holdsOn, type TestDatabase, wasReleased } from './test-database.ts'

/**
 * Makes an existing test database resettable: what is in it now is its baseline, until `release`.
 *
 * It must be a database that afresh may change: one that is marked (`afresh adopt`), that has no rows in any
 * table, or that lives in this process (SQLite in memory, PGlite).
 *
 * @param target a URL, or an open client: `pg` Client, `mysql2` connection, PGlite, `node:sqlite`, `better-sqlite3`
 * @throws RefusedError for a database that is not afresh's to change; it is untouched
 * @throws AfreshError `usage`, `server`, `plan`
 */
export async function attach(target: string | object, options: AttachOptions = {}): Promise<TestDatabase> {
  const { reset, rollback, allow } = parseAttachOptions(options)
  guardEnvironment()
  const opened = typeof target === 'string' ? await open(target) : await wrap(target)
  const { engine, connection } = opened
  try {
    if (rollback && connection.endpoint === undefined) throw noServer(engine.title)
    const { mark, isTemporary } = await takeOver(await examine(opened, allow))
    /** A mark for good is what a person gives; this one was for an empty database, which may not stay so. */
    const giveBack = async () => {
      if (isTemporary && mark !== undefined) await engine.ownership.erase(connection, mark)
    }
    const session = await withUndo(async () => {
      const costs = await recallCosts(opened)
      return openSession({ engine, connection, options: reset, mark, costs })
    }, giveBack)
    const { begin, settled, ...around } = rollbacks(
      { database: connection.database, waitMs: reset.lockTimeoutMs },
      rollback,
    )
    let released: Promise<void> | undefined
    const eraser = eraserOn(async () => {
      if (released !== undefined) throw wasReleased(connection.database)
      await settled()
      return { engine, connection, session }
    })
    const release = (): Promise<void> => {
      released ??= withCleanUp(
        () =>
          withCleanUp(async () => {
            await around.abandon()
            await eraser.close()
            await session.close()
          }, giveBack),
        () => connection.close(),
      )
      return released
    }
    return {
      name: connection.database,
      url: connection.url ?? '',
      async begin(client) {
        if (released !== undefined) throw wasReleased(connection.database)
        await begin(client)
      },
      reset: () => around.reset(async () => session),
      verify: session.verify,
      erase: eraser.erase,
      purge: eraser.purge,
      ...holdsOn(engine, connection),
      release,
      [Symbol.asyncDispose]: release,
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

function noServer(title: string): AfreshError {
  return new AfreshError('usage', `strategy: ${title} in this process cannot be had with "rollback".`, {
    next: 'Leave it out: afresh and the test share the handle, and a reset takes no round trip.',
  })
}

/** Holds the server against the guard, then looks what is in the database; changes nothing. */
export async function examine({ engine, connection }: Opened, allow: readonly string[]): Promise<Takeover> {
  if (engine.databases !== undefined) {
    const facts = await engine.databases.facts(connection)
    await guardServer({ endpoint: connection.endpoint, facts, ours: false, allow })
  }
  const schema = await engine.introspect(connection)
  const { populated } = await engine.survey(connection, schema)
  return { engine, connection, schema, populated }
}
