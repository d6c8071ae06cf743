import { AfreshError, messageOf } from '../../errors.ts'
import { type Control, controlsIn, type Part } from './control.ts'
import {
  alreadyOpen,
  type Ending,
  isObject,
  newSavepoints,
  requireDatabase,
  type Savepoints,
  type Transaction,
  type TransactionOptions,
} from './transaction.ts'

/** As much of mysql2's connection as everything goes through: promises, callbacks, `beginTransaction()`. */
export interface MysqlCore {
  readonly config: { readonly multipleStatements?: boolean }
  query(sql: unknown, ...rest: readonly unknown[]): unknown
  execute(sql: unknown, ...rest: readonly unknown[]): unknown
}

interface Command extends NodeJS.EventEmitter {
  onResult?: ((error: unknown, ...rest: unknown[]) => void) | undefined
}

/** mysql2's connection, or what its promises are wrapped around. */
export function mysqlCoreOf(client: unknown): MysqlCore | undefined {
  if (!isObject(client)) return undefined
  return [client.connection, client].find(isCore)
}

function isCore(value: unknown): value is MysqlCore {
  return (
    isObject(value) &&
    typeof value.promise === 'function' &&
    typeof value.execute === 'function' &&
    isObject(value.config) &&
    'clientFlags' in value.config
  )
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html */
const IN_TRANSACTION = 1
const AUTOCOMMIT = 2
const DEADLOCK = 1213
const NO_SUCH_SAVEPOINT = 1305

/** Opens the transaction and takes `query` and `execute` over. Throws `AfreshError` (`usage`). */
export async function beginMysql(core: MysqlCore, options: TransactionOptions): Promise<Transaction> {
  const send = sender(core)
  const [found] = (await send('SELECT DATABASE() AS name')) as { name: unknown }[]
  requireDatabase(found?.name, options)
  const { serverStatus } = (await send('DO 0')) as { serverStatus: number }
  if ((serverStatus & IN_TRANSACTION) !== 0) throw alreadyOpen()
  if ((serverStatus & AUTOCOMMIT) === 0) {
    throw new AfreshError('usage', 'begin: autocommit is off on this connection.', {
      next: 'SET autocommit = 1: without it, what begins a transaction cannot be told.',
    })
  }
  const savepoints = newSavepoints()
  await send('START TRANSACTION')
  await send(`SAVEPOINT ${savepoints.mark}`)
  return takenOver(core, send, savepoints)
}

type Send = (sql: string) => Promise<unknown>

/** By the driver's own methods, whatever the options of the client. */
function sender(core: MysqlCore): Send {
  const query = core.query.bind(core)
  return (sql) =>
    new Promise((resolve, reject) => {
      const options = { sql, rowsAsArray: false, nestTables: false }
      query(options, (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)))
    })
}

function takenOver(core: MysqlCore, send: Send, savepoints: Savepoints): Transaction {
  const state: State = { isInside: false, lost: undefined }
  const had = {
    query: Object.getOwnPropertyDescriptor(core, 'query'),
    execute: Object.getOwnPropertyDescriptor(core, 'execute'),
  }
  const original = { query: core.query.bind(core), execute: core.execute.bind(core) }
  const several = core.config.multipleStatements === true
  let isOver = false

  const partsOf = (sql: unknown) => {
    const text = isObject(sql) ? sql.sql : sql
    const isOurs = !isOver && state.lost === undefined && typeof text === 'string'
    return isOurs ? controlsIn(text, 'mysql', several) : undefined
  }
  const query = (sql: unknown, ...rest: readonly unknown[]) => {
    const parts = partsOf(sql)
    if (parts === undefined) return watched(original.query(sql, ...rest), sql, state)
    const { ahead, text } = translated(parts, savepoints.base, state)
    for (const statement of ahead) original.query(statement, () => {})
    return watched(original.query(withText(sql, text), ...rest), sql, state)
  }
  // The servers prepare no SAVEPOINT.
  const execute = (sql: unknown, ...rest: readonly unknown[]) =>
    partsOf(sql) === undefined ? watched(original.execute(sql, ...rest), sql, state) : query(sql, ...rest)

  Object.defineProperty(core, 'query', { value: query, configurable: true, writable: true })
  Object.defineProperty(core, 'execute', { value: execute, configurable: true, writable: true })
  return {
    async end() {
      isOver = true
      for (const name of ['query', 'execute'] as const) {
        const own = had[name]
        if (own === undefined) Reflect.deleteProperty(core, name)
        else Object.defineProperty(core, name, own)
      }
      return rolledBack(send, savepoints, state)
    },
  }
}

interface State {
  /** Whether the code under test has begun a transaction. */
  isInside: boolean
  /** What ended ours before its time. */
  lost: string | undefined
}

interface Translation {
  /** Statements to be sent before, of whose results nobody hears. */
  readonly ahead: readonly string[]
  readonly text: string
}

/**
 * What to send instead. Nothing is deferred and no statement that fails spoils a transaction here, so that the order
 * in which statements are sent tells everything, awaited or not. The transaction of the code under test begins at
 * the savepoint `base`; statement by statement the server answers just what it would have answered.
 */
function translated(parts: readonly Part[], base: string, state: State): Translation {
  const ahead: string[] = []
  const statements = parts.map(({ sql, control }, place) => {
    // A BEGIN within a transaction commits it first; its savepoints go with it.
    const isNested = control?.kind === 'begin' && state.isInside
    if (isNested && place === 0) ahead.push(`RELEASE SAVEPOINT ${base}`)
    return statementFor(sql, control, base, state)
  })
  return { ahead, text: statements.join(';\n') }
}

function statementFor(sql: string, control: Control | undefined, base: string, state: State): string {
  const { isInside } = state
  switch (control?.kind) {
    case 'begin':
      state.isInside = true
      return `SAVEPOINT ${base}`
    case 'commit':
      state.isInside = control.chain
      if (control.chain) return `SAVEPOINT ${base}`
      return isInside ? `RELEASE SAVEPOINT ${base}` : NOTHING
    case 'rollback':
      state.isInside = control.chain
      if (!isInside) return control.chain ? `SAVEPOINT ${base}` : NOTHING
      return `ROLLBACK TO SAVEPOINT ${base}`
    case 'savepoint':
    case 'characteristics':
      return isInside ? sql : NOTHING
    default:
      return sql
  }
}

/** Has the result of any statement that returns no rows. */
const NOTHING = 'DO 0'

function withText(sql: unknown, text: string): unknown {
  if (!isObject(sql)) return text
  // `pool.query` hands over the command itself, which knows its listeners.
  if (Object.getPrototypeOf(sql) !== Object.prototype) return Object.assign(sql, { sql: text })
  return { ...sql, sql: text }
}

/** With every result that has no rows the server tells whether a transaction is open. */
function watched(command: unknown, sql: unknown, state: State): unknown {
  if (!isCommand(command)) return command
  const text = String(isObject(sql) ? sql.sql : sql)
  command.on('result', (result: unknown) => {
    if (!isObject(result) || result.constructor?.name !== 'ResultSetHeader') return
    const status = Number(result.serverStatus ?? IN_TRANSACTION)
    if ((status & IN_TRANSACTION) === 0)
      state.lost ??= `it was over by the end of «${text.trim().slice(0, 80)}»`
  })
  const { onResult } = command
  if (typeof onResult === 'function') {
    command.onResult = (error, ...rest) => {
      if (isObject(error) && error.errno === DEADLOCK) state.lost ??= 'a deadlock rolled it back'
      onResult(error, ...rest)
    }
  }
  return command
}

function isCommand(value: unknown): value is Command {
  return isObject(value) && typeof value.on === 'function'
}

/** Behind everything that the test has sent, awaited or not. */
async function rolledBack(send: Send, { mark }: Savepoints, state: State): Promise<Ending> {
  const violation = undefined
  try {
    await send(`ROLLBACK TO SAVEPOINT ${mark}`)
    await send('ROLLBACK')
    return { lost: undefined, violation }
  } catch (error) {
    const isGone = isObject(error) && error.errno === NO_SUCH_SAVEPOINT
    if (!isGone) return { lost: state.lost ?? `the connection was lost: ${messageOf(error)}`, violation }
    await send('ROLLBACK').catch(() => {})
    return {
      lost: state.lost ?? 'something committed it: a statement, or a COMMIT that went past the client',
      violation,
    }
  }
}
