import { time } from '../util/clock.ts'

/** The session that holds a lock, as the server shows it. */
export interface LockHolder {
  /** The server's id of the session. */
  readonly session: number
  /** The application name of the session; `undefined` if the server does not show it. */
  readonly application: string | undefined
  /** User and address, for people. */
  readonly client: string
}

/** What the application name of a lease's session says. */
export interface LeaseOrigin {
  /** The id of the process that leased the database, on its machine. */
  readonly process: number
  /** Milliseconds since the lease began, by the clock of that machine. */
  readonly ageMs: number
}

/** The application name of the session that holds a lease: other processes show whose the lease is. */
export function leaseApplication(process: number, now: number = time()): string {
  return `afresh (lease, process ${process}, since ${new Date(now).toISOString()})`
}

/** `undefined` for any other application name. */
export function leaseOrigin(application: string | undefined, now: number = time()): LeaseOrigin | undefined {
  const [, id, since = ''] = /^afresh \(lease, process (\d+), since (\S+)\)$/.exec(application ?? '') ?? []
  return id === undefined ? undefined : { process: Number(id), ageMs: Math.max(0, now - Date.parse(since)) }
}
