import { parseAttachOptions } from '../config/options.ts'
import {
  claimOwnership,
  confirmationOf,
  guardEnvironment,
  guardSessions,
  type OwnershipRequest,
  readMark,
} from '../database/guard.ts'
import { open } from '../engine/registry.ts'
import { AfreshError, withCleanUp } from '../errors.ts'
import { examine } from './attach.ts'

/** The facts that a person should see before confirming the adoption of a database. */
export interface Candidate {
  readonly engine: string
  readonly database: string
  readonly tables: number
  /** Labels of the tables with rows. All of these rows may be lost. */
  readonly tablesWithRows: readonly string[]
  /** Confirms that exactly this database is meant: `NAME#SYSTEM_IDENTIFIER`. */
  readonly confirmation: string
}

export interface Adoption extends Candidate {
  /** Whether the database already carried a valid mark. If so, nothing was changed. */
  readonly wasMarked: boolean
}

/** How the adoption is confirmed, and which servers are allowed. */
export interface AdoptOptions {
  /** `NAME#SYSTEM_IDENTIFIER`, or a function that asks a person for it. */
  readonly confirm: string | ((candidate: Candidate) => Promise<string>)
  /** Servers on other machines that exist for tests only, each as `host:port#system_identifier`. */
  readonly allow?: readonly string[]
}

/**
 * Marks a database as disposable: afresh may delete everything in it from then on. Changes nothing else.
 *
 * @param url of the database, not only of its server
 * @throws RefusedError if the guard refuses or the confirmation does not match; the database is unchanged
 * @throws AfreshError `usage`, `server`
 */
export async function adopt(url: string, options: AdoptOptions): Promise<Adoption> {
  const { allow } = parseAttachOptions({ allow: options.allow ?? [] })
  guardEnvironment()
  const opened = await open(url)
  return withCleanUp(
    async () => {
      const takeover = await examine(opened, allow)
      await refusePrivate(takeover)
      await guardSessions(takeover)
      const candidate = await candidateOf(takeover)
      if ((await readMark(takeover)).isForGood) return { ...candidate, wasMarked: true }
      const { confirm } = options
      const confirmed = typeof confirm === 'string' ? confirm : await confirm(candidate)
      await claimOwnership({ ...takeover, confirmed })
      return { ...candidate, wasMarked: false }
    },
    () => opened.connection.close(),
  )
}

async function refusePrivate({ engine, connection }: OwnershipRequest): Promise<void> {
  if (!(await engine.ownership.isPrivate(connection))) return
  throw new AfreshError('usage', 'This database lives in this process alone and ends with it.', {
    next: 'Name a database on a server, or a file.',
  })
}

async function candidateOf({ engine, connection, schema, populated }: OwnershipRequest): Promise<Candidate> {
  const { server } = await engine.ownership.expected(connection)
  return {
    engine: engine.title,
    database: connection.database,
    tables: schema.tables.length,
    tablesWithRows: schema.tables.filter(({ id }) => populated.includes(id)).map(({ label }) => label),
    confirmation: confirmationOf(connection, server),
  }
}
