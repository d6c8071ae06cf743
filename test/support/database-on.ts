import { engineNamed } from '../../src/engine/registry.ts'
import { codeOf } from '../../src/errors.ts'
import { ask } from './ask.ts'
import type { ServerAtHand } from './servers.ts'

/** Creates a database of that name, owned by the user of the server's URL, and drops it after `body`. */
export async function withDatabaseOn(
  server: ServerAtHand,
  name: string,
  body: (database: ServerAtHand) => Promise<void>,
): Promise<void> {
  await ask(server, `DROP DATABASE IF EXISTS ${name}`)
  await ask(server, `CREATE DATABASE ${name}`)
  try {
    await body({ ...server, url: engineNamed(server.engine).databases?.urlOf(server.url, name) ?? '' })
  } finally {
    await dropDatabase(server, name)
  }
}

/** insufficient_privilege */
const DENIED = '42501'

async function dropDatabase(server: ServerAtHand, name: string): Promise<void> {
  if (server.engine !== 'postgres') return void (await ask(server, `DROP DATABASE IF EXISTS ${name}`))
  try {
    await ask(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  } catch (error) {
    // A plain role may not terminate autovacuum, but DROP without FORCE cancels it.
    if (codeOf(error) !== DENIED) throw error
    await ask(server, `DROP DATABASE IF EXISTS ${name}`)
  }
}
