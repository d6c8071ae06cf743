import { connect, createServer, type Socket } from 'node:net'

export interface CountingProxy {
  readonly url: string
  /** The number of messages that the client has sent since the last `reset`. */
  requests(): number
  reset(): void
  close(): Promise<void>
}

/**
 * A proxy that counts round trips. Each message of the client starts with a packet of sequence number 0. No
 * other packet of the client has that number, except later packets of a message over 16 MB.
 */
export async function countingProxy(url: string): Promise<CountingProxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let requests = 0
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    let pending = Buffer.alloc(0)
    client.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 4 && pending.length >= 4 + pending.readUIntLE(0, 3)) {
        if (pending[3] === 0) requests += 1
        pending = pending.subarray(4 + pending.readUIntLE(0, 3))
      }
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  return {
    url: through.toString(),
    requests: () => requests,
    reset: () => {
      requests = 0
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
