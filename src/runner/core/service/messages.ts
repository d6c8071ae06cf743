/**
 * What a worker and the process that holds the sessions of its run send to each other: values of the
 * structured clone algorithm (dates, bytes and big integers survive), each after its length.
 */
import type { Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'
import type { ErrorData } from './error-data.ts'

/** Where a worker finds the process. The secret grants all that a worker may do. */
export interface ServiceAddress {
  /** A Unix socket, or a named pipe on Windows. */
  readonly path: string
  readonly secret: string
}

export type Method =
  | 'handle'
  | 'lease'
  | 'release'
  | 'reset'
  | 'verify'
  | 'keepCopy'
  | 'openResources'
  | 'endOpenResources'
  | 'erase'
  | 'purge'
  | 'load'
  | 'snapshot'
  | 'restore'
  | 'dropSnapshot'
  | 'summary'

export type Request =
  | {
      readonly id: number
      readonly secret: string
      readonly method: Method
      readonly args: readonly unknown[]
      /** Whether progress is to be reported. */
      readonly reports: boolean
    }
  /** Aborts the request of this id. */
  | { readonly id: number; readonly secret: string; readonly abort: unknown }

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ErrorData }
  | { readonly id: number; readonly progress: unknown }

/** Bytes of the length that comes before each message. */
const HEADER = 4
const LONGEST_BYTES = 256 * 2 ** 20

/** @throws DataCloneError for a value that cannot be copied, such as a function */
export function send(socket: Socket, message: Request | Reply): void {
  const body = serialize(message)
  const header = Buffer.alloc(HEADER)
  header.writeUInt32BE(body.length)
  socket.write(Buffer.concat([header, body]))
}

/** Calls `onMessage` for each message. Ends the connection at anything that is none. */
export function receive(socket: Socket, onMessage: (message: unknown) => void): void {
  let chunks: Buffer[] = []
  let received = 0
  const take = (): Buffer | undefined => {
    if (received < HEADER) return undefined
    const bytes = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)
    chunks = [bytes]
    const length = bytes.readUInt32BE(0)
    if (length > LONGEST_BYTES) {
      socket.destroy()
      return undefined
    }
    if (received < HEADER + length) return undefined
    chunks = [bytes.subarray(HEADER + length)]
    received -= HEADER + length
    return bytes.subarray(HEADER, HEADER + length)
  }
  socket.on('data', (chunk) => {
    chunks.push(chunk)
    received += chunk.length
    for (let body = take(); body !== undefined; body = take()) {
      let message: unknown
      try {
        message = deserialize(body)
      } catch {
        socket.destroy()
        return
      }
      onMessage(message)
    }
  })
}
