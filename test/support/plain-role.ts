import { ask } from './ask.ts'
import type { ServerAtHand } from './servers.ts'

/**
 * The server by the URL of a role that may only log in and create databases. Creates the role if it is
 * missing.
 */
export async function asPlainRole(server: ServerAtHand, name = 'plain_user'): Promise<ServerAtHand> {
  const [role] = await ask(server, `SELECT 1 FROM pg_roles WHERE rolname = '${name}'`)
  if (role === undefined) await ask(server, `CREATE ROLE ${name} LOGIN CREATEDB PASSWORD 'plain'`)
  const url = new URL(server.url)
  url.username = name
  url.password = 'plain'
  return { ...server, url: url.toString() }
}
