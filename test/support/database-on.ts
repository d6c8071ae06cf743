import { engineNamed } from '../../src/engine/registry.ts'
import { ask } from './ask.ts'
import type { ServerAtHand } from './servers.ts'

/** A new database of that name, which belongs to whoever the server's URL names; dropped afterwards. */
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
    await ask(server, `DROP DATABASE IF EXISTS ${name}${server.engine === 'postgres' ? ' WITH (FORCE)' : ''}`)
  }
}
