import type pg from 'pg'
import { AfreshError, codeOf, messageOf } from '../../../errors.ts'
import { requireConnected } from '../../pg-client.ts'
import {
  alreadyOpen,
  type Ending,
  isObject,
  newSavepoints,
  replaced,
  requireDatabase,
  type Savepoints,
  type Transaction,
  type TransactionOptions,
} from '../../transaction/transaction.ts'
import { CHECK_DEFERRED, DEFERRABLE, type Deferrable, Emulation, type Piece } from './emulation.ts'

/** The part of `pg`'s Query that its own subclasses override: how it is sent, and what it receives. */
interface Steerable {
  text: string
  submit(connection: object): Error | null
  handleCommandComplete(message: { readonly text: string }, connection: object): void
  handleError(error: Error, connection: object): void
}

type Done = (error: Error | null | undefined, result?: unknown) => void

interface Driver {
  readonly Query: new (config: object, values: undefined, done: Done) => Steerable
}

/** Missing from the driver's type declarations. */
interface ClientInternals {
  readonly connection: NodeJS.EventEmitter
  readonly pipeline?: boolean
}

type Query = (config: unknown, values?: unknown, done?: unknown) => unknown

export function isPgClient(client: unknown): client is pg.Client & ClientInternals {
  return (
    isObject(client) && typeof client.query === 'function' && 'connection' in client && 'processID' in client
  )
}

const IN_FAILED_TRANSACTION = '25P02'

/** Opens the transaction and intercepts the client's `query`. Throws `AfreshError` (`usage`). */
export async function beginPg(
  client: pg.Client & ClientInternals,
  options: TransactionOptions,
): Promise<Transaction> {
  if (client.pipeline === true) {
    throw new AfreshError('usage', 'begin: the client is in pipeline mode.', {
      next: 'Leave `pipeline` out: a statement is sent there before it is known what became of the last one.',
    })
  }
  requireConnected(client, 'begin')
  const { rows } = await client
    .query<Deferrable & { database: string; open: boolean }>(
      `SELECT pg_catalog.current_database() AS database, pg_catalog.now() <> pg_catalog.statement_timestamp() AS open, ${DEFERRABLE}`,
    )
    .catch((error: unknown) => {
      throw codeOf(error) === IN_FAILED_TRANSACTION ? alreadyOpen() : error
    })
  const [found] = rows
  if (found === undefined) throw new Error('the server reported nothing about itself')
  requireDatabase(found.database, options)
  if (found.open) throw alreadyOpen()
  const savepoints = newSavepoints()
  await client.query(`BEGIN; SAVEPOINT ${savepoints.mark}; ${CHECK_DEFERRED}; SAVEPOINT ${savepoints.base}`)
  return takenOver(client, savepoints, found)
}

function takenOver(
  client: pg.Client & ClientInternals,
  savepoints: Savepoints,
  deferrable: Deferrable,
): Transaction {
  const emulation = new Emulation(savepoints, deferrable)
  const { Query } = client.constructor as unknown as Driver
  const original: Query = client.query.bind(client)

  // Runs before the driver's own listener, which sends the next query.
  const onReady = ({ status }: { readonly status: string }) => {
    emulation.status = status
  }
  client.connection.prependListener('readyForQuery', onReady)

  const send = (decide: () => Piece[], done: Done) =>
    void original(interceptQuery(new Query({ text: '' }, undefined, done), decide))
  let isOver = false

  const query: Query = (config, values, done) => {
    if (isOver) return original(config, values, done)
    const text = isObject(config) ? config.text : config
    const parts = typeof text === 'string' ? emulation.partsOf(text) : undefined
    if (parts === undefined) {
      send(
        () => emulation.before(),
        () => {},
      )
      return original(config, values, done)
    }
    const decide = () => emulation.translated(parts)
    if (isSteerable(config)) return original(interceptQuery(config, decide), values, done)
    const { rowMode, types, callback }: Record<string, unknown> = isObject(config) ? config : {}
    const given = [done, values, callback].find(
      (argument): argument is Done => typeof argument === 'function',
    )
    const run = (tell: Done) =>
      void original(interceptQuery(new Query({ text, rowMode, types }, undefined, tell), decide))
    return given === undefined ? promised(run) : run(given)
  }
  const putBack = replaced(client, 'query', query)

  return {
    async end() {
      isOver = true
      putBack()
      try {
        const sent = (decide: () => Piece[]) => promised((done) => send(decide, done)).then(() => {})
        return await rolledBack(sent, savepoints, emulation)
      } finally {
        client.connection.removeListener('readyForQuery', onReady)
      }
    },
  }
}

function promised(run: (done: Done) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    run((error, result) => (error === null || error === undefined ? resolve(result) : reject(error)))
  })
}

/**
 * Lets a query determine its SQL when its turn comes, since that depends on the results of earlier queries.
 * If there is nothing to send, `submit` returns an error, from which the driver continues.
 */
function interceptQuery<T extends Steerable>(query: T, decide: () => Piece[]): T {
  const { submit, handleCommandComplete, handleError } = query
  let pieces: Piece[] = []
  let index = 0
  query.submit = (connection) => {
    pieces = decide()
    query.text = pieces.map(({ sql }) => sql).join(';\n')
    return pieces.length === 0 ? new Error('nothing to send') : submit.call(query, connection)
  }
  query.handleCommandComplete = (message, connection) => {
    const piece = pieces[index++]
    piece?.done?.()
    if (piece?.shown === undefined) return
    const shown = piece.shown === '' ? message : { ...message, text: piece.shown }
    handleCommandComplete.call(query, shown, connection)
  }
  query.handleError = (error, connection) => {
    pieces[index]?.failed?.()
    handleError.call(query, error, connection)
  }
  return query
}

function isSteerable(query: unknown): query is Steerable {
  return (
    isObject(query) && typeof query.submit === 'function' && typeof query.handleCommandComplete === 'function'
  )
}

/** Runs after everything that the test has sent, awaited or not. */
async function rolledBack(
  send: (decide: () => Piece[]) => Promise<void>,
  { mark }: Savepoints,
  emulation: Emulation,
): Promise<Ending> {
  const undo: Piece[] = [{ sql: `ROLLBACK TO SAVEPOINT ${mark}` }, { sql: 'ROLLBACK' }]
  try {
    try {
      // A failed transaction could not have been committed.
      await send(() => [...(emulation.status === 'T' ? [{ sql: CHECK_DEFERRED }] : []), ...undo])
      return { lost: undefined, violation: undefined }
    } catch (error) {
      if (isGone(error)) throw error
      // A constraint trigger may raise any error. If the connection is lost, this fails as well.
      await send(() => undo)
      return { lost: undefined, violation: error }
    }
  } catch (error) {
    const violation = undefined
    if (!isGone(error)) return { lost: `the connection was lost: ${messageOf(error)}`, violation }
    await send(() => [{ sql: 'ROLLBACK' }]).catch(() => {})
    return { lost: 'a COMMIT or ROLLBACK went past the client that was handed over', violation }
  }
}

/** The savepoint does not exist, or there is no transaction. */
function isGone(error: unknown): boolean {
  return codeOf(error) === '3B001' || codeOf(error) === '25P01'
}
