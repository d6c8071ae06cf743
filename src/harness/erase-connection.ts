import type { Claim } from '../engine/claim.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { isUnproven } from '../engine/erase-proof.ts'
import { erase, type PurgeOptions, purge } from '../erase/erase.ts'
import type { EraseOptions } from '../erase/options.ts'
import type { EraseReport } from '../erase/report.ts'
import type { EraseContext } from '../erase/run-transaction.ts'
import type { Where } from '../erase/where.ts'
import { AfreshError, EraseError, RefusedError } from '../errors.ts'
import type { ResetSession } from '../reset/session.ts'
import { whileServerAnswers } from './liveness.ts'
import { loadFixtures, type NamedFixtures } from './load-fixtures.ts'

export interface EraseConnection {
  erase(table: string, where: Where, options?: EraseOptions): Promise<EraseReport>
  purge(options?: PurgeOptions): Promise<EraseReport>
  /** Adds the rows of a named set. */
  load(set: string): Promise<void>
  close(): Promise<void>
}

/** What an erase works on. */
export interface EraseConnectionState {
  readonly engine: Engine
  /** The connection that resets the database. */
  readonly connection: Connection
  readonly session: Pick<ResetSession, 'schema' | 'lockTimeoutMs' | 'alone'>
  /** The claim that every transaction of an erase proves first; `undefined` for in-process databases. */
  readonly claim: Claim | undefined
}

/** What such a connection is used for, as it is called. */
export type WriteKind = 'erase' | 'load'

/**
 * Erases and loads rows on a separate connection, opened by the first of them. The connection that resets has foreign keys and
 * triggers switched off, and other settings that neither may have. A client of the user, and an
 * in-process handle, are used directly.
 *
 * @param unref the connection does not keep the process alive
 */
export function eraseConnectionOn(
  current: (kind: WriteKind) => Promise<EraseConnectionState>,
  { unref = false, fixtures }: { readonly unref?: boolean; readonly fixtures: NamedFixtures },
): EraseConnection {
  /** Belongs to one lease: the next lease may recreate the database, which ends all sessions in it. */
  let own: { readonly lease: Connection; readonly connection: Promise<Connection> } | undefined

  const connectionFor = async ({ engine, connection: lease }: EraseConnectionState): Promise<Connection> => {
    const { url, owned } = lease
    if (!owned || url === undefined || engine.databases === undefined) return lease
    if (own?.lease !== lease) await close()
    own ??= { lease, connection: connect(engine, url) }
    return own.connection
  }

  const connect = async (engine: Engine, url: string): Promise<Connection> => {
    const connection = await engine.connect(url, { names: 'both' })
    if (unref) connection.unref?.()
    return connection
  }

  const close = async (): Promise<void> => {
    const open = own
    own = undefined
    await open?.connection.then((connection) => connection.close()).catch(() => {})
  }

  const on = async <T>(kind: WriteKind, body: (context: EraseContext) => Promise<T>): Promise<T> => {
    const context = await current(kind)
    const { schema, lockTimeoutMs, alone } = context.session
    const { engine, claim } = context
    const work = async (): Promise<T> => {
      try {
        const connection = await connectionFor(context)
        return await withProof({ engine, connection, schema, lockTimeoutMs }, claim, body, kind)
      } catch (error) {
        const isRefusal = error instanceof AfreshError && !(error instanceof EraseError)
        // The connection may be lost or in an unknown state, so the next one opens a new one.
        if (!isRefusal) await close()
        throw error
      }
    }
    const asked = { engine, url: context.connection.url, doing: DOING[kind] }
    return alone(() => whileServerAnswers(work, asked))
  }

  return {
    erase: (table, where, options) => on('erase', (context) => erase(context, table, where, options)),
    purge: (options) => on('erase', (context) => purge(context, options)),
    load: (set) => on('load', (context) => loadFixtures(context, fixtures, set)),
    close,
  }
}

const DOING: Readonly<Record<WriteKind, string>> = {
  erase: 'rows were erased',
  load: 'rows were loaded',
}

/**
 * Runs `work`, and has each of its transactions prove the claim first.
 *
 * @throws RefusedError if the claim does not hold; rows that earlier batches deleted stay deleted
 */
export async function withProof<T>(
  context: EraseContext,
  claim: Claim | undefined,
  work: (context: EraseContext) => Promise<T>,
  kind: WriteKind = 'erase',
): Promise<T> {
  if (claim === undefined) return work(context)
  const { ownership } = context.engine
  try {
    return await work({ ...context, proof: await ownership.proof(context.connection, claim) })
  } catch (error) {
    const why = isUnproven(error) ? await ownership.whyRefused(context.connection, claim, error) : undefined
    if (why === undefined) throw error
    throw new RefusedError(`The ${kind} was refused: ${why}.`, {
      next: 'The mark was removed, the lease was lost, or the connection leads elsewhere: lease or attach again.',
      cause: error,
    })
  }
}
