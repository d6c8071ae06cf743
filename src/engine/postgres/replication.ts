import { AfreshError, messageOf, withCleanUp } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { readCatalog } from './catalog.ts'
import { connect } from './connection.ts'
import { ident, literal } from './quote.ts'

/**
 * Ends logical replication that prevents dropping a database: its subscriptions, and sessions that read one
 * of its slots (the slots are dropped with it). The slot of a subscription at its publisher stays, because
 * afresh may not own the publisher.
 *
 * @param url the URL of the database
 * @throws AfreshError `server` naming what this role may not end
 */
export async function endReplication(admin: Connection, name: string, url: string): Promise<void> {
  const slots = await readCatalog(
    admin,
    `SELECT s.slot_name AS slot, s.active_pid AS pid FROM pg_catalog.pg_replication_slots AS s
     WHERE s.database = ${literal(name)} AND s.active_pid IS NOT NULL`,
  )
  for (const { slot, pid } of slots) {
    await readCatalog(
      admin,
      `SET LOCAL ROLE NONE; SELECT pg_catalog.pg_terminate_backend(${Number(pid)}, 5000)`,
    ).catch((cause) => {
      throw kept(name, `the replication slot "${slot}" is read by process ${pid}`, cause)
    })
  }
  const subscriptions = await readCatalog(
    admin,
    `SELECT s.subname AS name FROM pg_catalog.pg_subscription AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid
     WHERE d.datname = ${literal(name)}`,
  )
  if (subscriptions.length === 0) return
  const inside = await connect(url)
  await withCleanUp(
    async () => {
      for (const subscription of subscriptions)
        await dropSubscription(inside, name, String(subscription.name))
    },
    () => inside.close(),
  )
}

async function dropSubscription(inside: Connection, database: string, name: string): Promise<void> {
  const subscription = ident(name)
  try {
    // With a slot it would contact the publisher, which may be down or on any server.
    await inside.query(`ALTER SUBSCRIPTION ${subscription} DISABLE`)
    await inside.query(`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE)`)
    await inside.query(`DROP SUBSCRIPTION ${subscription}`)
  } catch (cause) {
    throw kept(database, `the subscription "${name}" is in it`, cause)
  }
}

function kept(database: string, why: string, cause: unknown): AfreshError {
  return new AfreshError(
    'server',
    `The database "${database}" cannot be dropped: ${why}, and this role may not end that: ${messageOf(cause)}.`,
    {
      next: 'End it as a superuser (DROP SUBSCRIPTION, pg_terminate_backend), and have the test that made it do so.',
      cause,
    },
  )
}
