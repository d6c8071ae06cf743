import { Socket } from 'node:net'

/** The first byte of a message in the PostgreSQL protocol. */
const QUERY = 0x51
const SYNC = 0x53
/** The fifth byte of a MySQL packet that starts a command. */
const COM_QUERY = 0x03
const COM_STMT_EXECUTE = 0x17

let count = 0

/** Counts requests on any socket, whichever driver sends them. */
export function countRoundTrips(protocol: 'postgres' | 'mysql'): void {
  const asks = protocol === 'postgres' ? asksPostgres : asksMysql
  const { write } = Socket.prototype
  Socket.prototype.write = function (this: Socket, ...given: unknown[]) {
    const [chunk] = given
    if (chunk instanceof Uint8Array && asks(chunk)) count++
    return Reflect.apply(write, this, given) as boolean
  }
}

export function roundTrips(): number {
  return count
}

function asksPostgres([type]: Uint8Array): boolean {
  return type === QUERY || type === SYNC
}

function asksMysql([, , , sequence, command]: Uint8Array): boolean {
  return sequence === 0 && (command === COM_QUERY || command === COM_STMT_EXECUTE)
}
