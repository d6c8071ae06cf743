import { lookup } from 'node:dns/promises'
import type { Connection, Endpoint } from '../engine/connection.ts'
import type { Databases, ServerFacts } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { isMarkOf, kindOf, newMark } from '../engine/ownership-mark.ts'
import { messageOf, RefusedError } from '../errors.ts'
import type { Schema, TableId } from '../schema/schema.ts'
import { isOwnAddress } from '../util/this-machine.ts'

/**
 * The guard. Tools of this kind have wiped real systems through a stale DATABASE_URL, a tunnel or a copied
 * .env. The guard decides on evidence, reports it, and cannot be switched off.
 */

/** Throws `RefusedError` in a production environment. */
export function guardEnvironment(environment: NodeJS.ProcessEnv = process.env): void {
  const { NODE_ENV: name = '' } = environment
  if (!/^\s*prod(uction)?\s*$/i.test(name)) return
  throw new RefusedError(`NODE_ENV is "${name}": this is no place for test databases.`, {
    next: 'Run tests with NODE_ENV unset or "test".',
  })
}

export interface GuardedServer {
  /** `undefined` for an engine within this process. */
  readonly endpoint: Endpoint | undefined
  readonly facts: ServerFacts
  readonly startedByAfresh: boolean
  /** Fingerprints that the configuration allows. */
  readonly allow: readonly string[]
  /** See `Databases.foreignRows`. If absent, the configuration has to allow a server on another machine. */
  readonly foreignRows?: () => Promise<string | undefined>
}

/**
 * Throws `RefusedError` for a replica, and for a server on another machine, unless the configuration names
 * its exact fingerprint or no database on it contains a row that is not afresh's: the service of a CI job is
 * new each time, and so is its identifier.
 */
export async function guardServer({
  endpoint,
  facts,
  startedByAfresh,
  allow,
  foreignRows,
}: GuardedServer): Promise<void> {
  if (facts.standby) {
    throw new RefusedError('The server is a standby: it takes its data from another one.', {
      next: 'Use a separate server for tests.',
    })
  }
  if (endpoint === undefined || startedByAfresh || (await isOnThisMachine(endpoint))) return
  const fingerprint = serverFingerprint(endpoint, facts)
  if (allow.includes(fingerprint)) return
  const evidence =
    foreignRows === undefined
      ? undefined
      : await foreignRows().catch(
          (error: unknown) => `its databases cannot be inspected: ${messageOf(error)}`,
        )
  if (foreignRows !== undefined && evidence === undefined) return
  throw new RefusedError(
    `The server ${fingerprint} is not on this machine, and afresh did not start it.${
      evidence === undefined
        ? ''
        : `\n  Nor could afresh establish that it holds no rows but afresh's own: ${evidence}.`
    }`,
    {
      next:
        (foreignRows === undefined
          ? ''
          : 'For the service of a CI job, leave out what fills it before the tests: afresh migrates databases of its own. ') +
        'If it is there for tests and nothing else, its owner can name exactly that fingerprint under `allow` in ' +
        'the configuration; otherwise use container() or embedded().',
    },
  )
}

/**
 * `guardServer` for the server of a connection. Searches all of its databases for rows by default.
 *
 * @returns the facts that it has read
 */
export async function guardConnected(
  { databases, connection }: { readonly databases: Databases; readonly connection: Connection },
  access: Pick<GuardedServer, 'startedByAfresh' | 'allow' | 'foreignRows'>,
): Promise<ServerFacts> {
  const facts = await databases.facts(connection)
  await guardServer({
    endpoint: connection.endpoint,
    facts,
    foreignRows: () => databases.foreignRows(connection),
    ...access,
  })
  return facts
}

/** `host:port#system_identifier` */
export function serverFingerprint({ host, port }: Endpoint, facts: ServerFacts): string {
  return `${host}:${port}#${facts.systemIdentifier}`
}

async function isOnThisMachine({ host, address }: Endpoint): Promise<boolean> {
  if (host.startsWith('/') && address === undefined) return true // a Unix socket
  if (address !== undefined) return isOwnAddress(address)
  const addresses = await lookup(host, { all: true }).catch(() => [])
  return addresses.length > 0 && addresses.every((address) => isOwnAddress(address.address))
}

export interface OwnershipRequest {
  readonly engine: Engine
  readonly connection: Connection
  readonly schema: Schema
  /** The tables that have rows. */
  readonly populated: readonly TableId[]
  /** `NAME#SYSTEM_IDENTIFIER`, typed by a person for this database. */
  readonly confirmed?: string | undefined
}

/** Permission to change a database. */
export interface OwnershipGrant {
  /** The mark of the database; `undefined` within this process, where none is needed. */
  readonly mark: string | undefined
  /** Whether the mark has to be deleted again: the database is empty, and no person has adopted it. */
  readonly isTemporary: boolean
}

/**
 * Claims an existing database: one that is marked, empty in every table, confirmed by name, or private to
 * this process (without a mark). Refuses any other, and leaves it unchanged.
 */
export async function claimOwnership(takeover: OwnershipRequest): Promise<OwnershipGrant> {
  const { engine, connection, populated, confirmed } = takeover
  const { ownership } = engine
  if (await ownership.isPrivate(connection)) return { mark: undefined, isTemporary: false }
  await guardSessions(takeover)
  const found = await readMark(takeover)
  if (found.isForGood) return { mark: found.mark, isTemporary: false }
  const identity = await ownership.expected(connection)
  const isConfirmed = confirmed === confirmationOf(connection, identity.server)
  if (!isConfirmed && (populated.length > 0 || confirmed !== undefined)) {
    throw refusal(takeover, found)
  }
  if (found.isValid && !isConfirmed) return { mark: found.mark, isTemporary: true }
  const fresh = newMark(identity, isConfirmed ? 'adopted' : 'attached')
  return { mark: await ownership.write(connection, fresh), isTemporary: !isConfirmed }
}

/**
 * The mark of a database that was handed over or created by afresh, or that `attach` marked and that is
 * empty; `undefined` for one that is private to this process. Refuses any other, even an empty one, and
 * leaves it unchanged.
 */
export async function requireMark(
  takeover: OwnershipRequest,
  { isShared = false } = {},
): Promise<string | undefined> {
  if (await takeover.engine.ownership.isPrivate(takeover.connection)) return undefined
  if (!isShared) await guardSessions(takeover)
  const found = await readMark(takeover)
  if (found.isForGood || (found.isValid && takeover.populated.length === 0)) return found.mark
  throw refusal(takeover, found)
}

export interface FoundMark {
  readonly mark: string | undefined
  /** Whether the mark was made for this database. */
  readonly isValid: boolean
  /** Whether the mark is also permanent: `attach` marks are valid only while every table is empty. */
  readonly isForGood: boolean
}

export async function readMark({
  engine: { ownership },
  connection,
}: Pick<OwnershipRequest, 'engine' | 'connection'>): Promise<FoundMark> {
  const mark = await ownership.read(connection)
  const isValid = mark !== undefined && isMarkOf(mark, await ownership.expected(connection))
  return { mark, isValid, isForGood: isValid && ['made', 'adopted'].includes(kindOf(mark)) }
}

/** The text that a person types to hand the database over. */
export function confirmationOf(connection: Connection, systemIdentifier: string): string {
  return `${connection.database}#${systemIdentifier}`
}

/** Throws `RefusedError` if other sessions are connected to the database. */
export async function guardSessions({
  engine,
  connection,
}: Pick<OwnershipRequest, 'engine' | 'connection'>): Promise<void> {
  const others = (await engine.databases?.sessions(connection, connection.database)) ?? []
  if (others.length === 0) return
  throw new RefusedError(
    `Other sessions are connected to "${connection.database}":\n${others.map((who) => `    ${who}`).join('\n')}`,
    {
      next: 'Use a database that only your tests connect to.',
    },
  )
}

function refusal(takeover: OwnershipRequest, found: FoundMark): RefusedError {
  const { connection, schema, populated, confirmed } = takeover
  const labels = schema.tables.filter(({ id }) => populated.includes(id)).map(({ label }) => label)
  const shown = `${labels.slice(0, 5).join(', ')}${labels.length > 5 ? ` and ${labels.length - 5} more` : ''}`
  const evidence = [
    labels.length === 0 ? 'every table in it is empty' : `there are rows in ${shown}`,
    found.isValid
      ? 'it was marked while everything in it was empty, by an `attach` that has not been released'
      : found.mark === undefined
        ? 'it carries no mark of afresh'
        : `its mark was made for another database (${found.mark})`,
    ...(confirmed === undefined ? [] : [`"${confirmed}" is not what it is called`]),
  ]
  return new RefusedError(
    `The database "${connection.database}" is not afresh's to change: ${evidence.join('; ')}.`,
    {
      next:
        'Let afresh make its own databases (createHarness), or, if everything in this one may be lost, have a person ' +
        'empty it or hand it over by name: afresh adopt --url …',
    },
  )
}
