import type { ClientConfig } from 'pg'
import { codeOf } from '../../errors.ts'
import { isOwnAddress } from '../../util/this-machine.ts'

/** The types of `pg` do not know of `sslnegotiation`. */
type Settings = Pick<ClientConfig, 'options' | 'ssl'> & { readonly sslnegotiation?: 'postgres' }

/**
 * What keeps the environment of the user's own clients out of our connections, the settings to try in this order. `pg`
 * would take PGOPTIONS (a search_path, a role) and PGSSLMODE from it, which a server on this machine rarely serves.
 */
export function ownSettings(url: URL, environment: NodeJS.ProcessEnv = process.env): Settings[] {
  const { searchParams } = url
  // The empty text would be read as "take those of the environment".
  const options = environment.PGOPTIONS && !searchParams.has('options') ? { options: ' ' } : {}
  const isSaid = ['ssl', 'sslmode', 'sslnegotiation'].some((name) => searchParams.has(name))
  const asksForTls = environment.PGSSLMODE !== undefined || environment.PGSSLNEGOTIATION !== undefined
  if (isSaid || !asksForTls || !isOnThisMachine(url.hostname)) return [options]
  return [{ ...options, ssl: false, sslnegotiation: 'postgres' }, options]
}

/** Whether the server wants to be asked in another way: `no pg_hba.conf entry for …, no encryption`. */
export function isRefusedWithoutTls(error: unknown): boolean {
  return codeOf(error) === '28000' && error instanceof Error && /no encryption/.test(error.message)
}

function isOnThisMachine(host: string): boolean {
  return host === 'localhost' || isOwnAddress(host.replace(/^\[|\]$/g, ''))
}
