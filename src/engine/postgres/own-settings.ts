import type { ClientConfig } from 'pg'
import { codeOf } from '../../errors.ts'
import { isOwnAddress } from '../../util/this-machine.ts'

/** `sslnegotiation` is missing from the types of `pg`. */
type Settings = Pick<ClientConfig, 'options' | 'ssl'> & { readonly sslnegotiation?: 'postgres' }

/**
 * Settings that keep the environment of the user's clients out of afresh's connections, in the order in which
 * to try them. Otherwise `pg` reads PGOPTIONS (a search_path, a role) and PGSSLMODE from it; a server on this
 * machine rarely supports TLS.
 */
export function ownSettings(url: URL, environment: NodeJS.ProcessEnv = process.env): Settings[] {
  const { searchParams } = url
  // An empty text would mean the options of the environment.
  const options = environment.PGOPTIONS && !searchParams.has('options') ? { options: ' ' } : {}
  const isSaid = ['ssl', 'sslmode', 'sslnegotiation'].some((name) => searchParams.has(name))
  const asksForTls = environment.PGSSLMODE !== undefined || environment.PGSSLNEGOTIATION !== undefined
  if (isSaid || !asksForTls || !isOnThisMachine(url.hostname)) return [options]
  return [{ ...options, ssl: false, sslnegotiation: 'postgres' }, options]
}

/** Whether the server rejected a connection without TLS: `no pg_hba.conf entry for …, no encryption`. */
export function isRefusedWithoutTls(error: unknown): boolean {
  return codeOf(error) === '28000' && error instanceof Error && /no encryption/.test(error.message)
}

function isOnThisMachine(host: string): boolean {
  return host === 'localhost' || isOwnAddress(host.replace(/^\[|\]$/g, ''))
}
