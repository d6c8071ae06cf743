import { AfreshError, messageOf } from '../../../errors.ts'
import { controlsIn, type Part } from '../../transaction/control-statements.ts'
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
import { Emulation } from './emulation.ts'

/** The part of mysql2's connection that all calls use: promises, callbacks, `beginTransaction()`. */
export interface MysqlCore {
  readonly config: { readonly multipleStatements?: boolean }
  addCommand(command: Command): unknown
  query(sql: unknown, ...rest: readonly unknown[]): unknown
  execute(sql: unknown, ...rest: readonly unknown[]): unknown
}

/** One message and its response. */
interface Command extends NodeJS.EventEmitter {
  sql?: string
  start(packet: unknown, connection: unknown): unknown
  onResult?: ((error: unknown, ...rest: unknown[]) => void) | undefined
}

/** mysql2's connection, or the one that its promise API wraps. */
export function mysqlCoreOf(client: unknown): MysqlCore | undefined {
  if (!isObject(client)) return undefined
  return [client.connection, client].find(isCore)
}

function isCore(value: unknown): value is MysqlCore {
  return (
    isObject(value) &&
    typeof value.promise === 'function' &&
    typeof value.execute === 'function' &&
    typeof value.addCommand === 'function' &&
    isObject(value.config) &&
    'clientFlags' in value.config
  )
}

/** Server status flags: https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html */
const IN_TRANSACTION = 1
const AUTOCOMMIT = 2
const DEADLOCK = 1213
const NO_SUCH_SAVEPOINT = 1305

/** Opens the transaction and intercepts the commands of the connection. Throws `AfreshError` (`usage`). */
export async function beginMysql(core: MysqlCore, options: TransactionOptions): Promise<Transaction> {
  const send = sender(core)
  const [found] = (await send('SELECT DATABASE() AS name')) as { name: unknown }[]
  requireDatabase(found?.name, options)
  const { serverStatus } = (await send('DO 0')) as { serverStatus: number }
  if ((serverStatus & IN_TRANSACTION) !== 0) throw alreadyOpen()
  if ((serverStatus & AUTOCOMMIT) === 0) {
    throw new AfreshError('usage', 'begin: autocommit is off on this connection.', {
      next: 'SET autocommit = 1: without it, the start of a transaction cannot be recognized.',
    })
  }
  const savepoints = newSavepoints()
  await send('START TRANSACTION')
  await send(`SAVEPOINT ${savepoints.mark}`)
  return takenOver(core, send, savepoints)
}

type Send = (sql: string) => Promise<unknown>

/** Uses the driver's original methods, independently of the options of the client. */
function sender(core: MysqlCore): Send {
  const query = core.query.bind(core)
  return (sql) =>
    new Promise((resolve, reject) => {
      const options = { sql, rowsAsArray: false, nestTables: false }
      query(options, (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)))
    })
}

function takenOver(core: MysqlCore, send: Send, savepoints: Savepoints): Transaction {
  const emulation = new Emulation(savepoints)
  const several = core.config.multipleStatements === true
  const original = {
    query: core.query.bind(core),
    execute: core.execute.bind(core),
    addCommand: core.addCommand.bind(core),
  }
  const controls = (text: unknown) =>
    typeof text === 'string' ? controlsIn(text, 'mysql', several) : undefined
  let isOver = false

  const addCommand = (command: Command) => {
    if (isOver) return original.addCommand(command)
    const parts = isQuery(command) ? controls(command.sql) : undefined
    for (const sql of emulation.ahead(parts)) original.query(sql, () => {})
    return original.addCommand(watched(command, parts, emulation))
  }
  // The servers cannot prepare SAVEPOINT.
  const execute = (sql: unknown, ...rest: readonly unknown[]) => {
    const isControl = !isOver && controls(isObject(sql) ? sql.sql : sql) !== undefined
    return isControl ? original.query(sql, ...rest) : original.execute(sql, ...rest)
  }
  const restore = [replaced(core, 'addCommand', addCommand), replaced(core, 'execute', execute)]
  return {
    async end() {
      isOver = true
      for (const putBack of restore) putBack()
      return rolledBack(send, savepoints, emulation)
    },
  }
}

/** Translates a command when it starts, and tracks the transaction by the responses. */
function watched(command: Command, parts: readonly Part[] | undefined, emulation: Emulation): Command {
  const { start } = command
  let complete = 0
  let after: readonly boolean[] = []
  command.start = (packet, connection) => {
    if (parts !== undefined && emulation.lost === undefined) {
      const translation = emulation.translated(parts)
      command.sql = translation.text
      after = translation.after
    }
    return start.call(command, packet, connection)
  }
  // Emitted once for each statement that succeeded.
  command.on('fields', () => emulation.entered(after[complete++]))
  command.on('result', (result: unknown) => {
    if (!isObject(result) || result.constructor?.name !== 'ResultSetHeader') return
    const status = Number(result.serverStatus ?? IN_TRANSACTION)
    if ((status & IN_TRANSACTION) === 0) emulation.lose(`it was over by the end of «${labelOf(command.sql)}»`)
  })
  command.on('end', () => emulation.answered())
  const { onResult } = command
  if (typeof onResult === 'function') {
    command.onResult = (error, ...rest) => {
      if (isObject(error) && error.errno === DEADLOCK) emulation.lose('a deadlock rolled it back')
      onResult(error, ...rest)
    }
  }
  return command
}

function labelOf(sql: string | undefined): string {
  return (sql ?? '').trim().slice(0, 80)
}

/** Excludes prepared statements, whose text is fixed. */
function isQuery(command: Command): boolean {
  return typeof command.sql === 'string' && !('parameters' in command)
}

/** Runs after everything that the test has sent, awaited or not. */
async function rolledBack(send: Send, { mark }: Savepoints, emulation: Emulation): Promise<Ending> {
  const violation = undefined
  try {
    await send(`ROLLBACK TO SAVEPOINT ${mark}`)
    await send('ROLLBACK')
    return { lost: undefined, violation }
  } catch (error) {
    const isGone = isObject(error) && error.errno === NO_SUCH_SAVEPOINT
    if (!isGone) return { lost: emulation.lost ?? `the connection was lost: ${messageOf(error)}`, violation }
    await send('ROLLBACK').catch(() => {})
    return {
      lost: emulation.lost ?? 'something committed it: a statement, or a COMMIT that went past the client',
      violation,
    }
  }
}
