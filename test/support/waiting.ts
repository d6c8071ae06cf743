import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from './ask.ts'
import type { ServerAtHand } from './servers.ts'

const WAITING = {
  postgres: "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  mysql: "SELECT count(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
}

/** Waits until this number of sessions of the server wait for a lock. */
export async function untilWaiting(server: ServerAtHand, sessions = 1): Promise<void> {
  for (let rounds = 0; rounds < 200; rounds++) {
    // InnoDB repeats its previous answer within a tenth of a second.
    await sleep(server.engine === 'postgres' ? 20 : 120)
    if ((await waitingOn(server)) >= sessions) return
  }
  throw new Error(`no ${sessions} sessions wait for a lock`)
}

export async function waitingOn(server: ServerAtHand): Promise<number> {
  const [row] = await ask(server, server.engine === 'postgres' ? WAITING.postgres : WAITING.mysql)
  return Number(row?.n)
}
