import { createServer, type Socket, connect as tcpConnect } from 'node:net'

/** A proxy that counts round trips to a server: changes from the client sending to the server sending. */
export interface Wire extends AsyncDisposable {
  /** The same URL, through the proxy. */
  readonly url: string
  /** Round trips since the last call. */
  count(): number
  /** What clients have sent since the last call. */
  sent(): string
  /** Cuts all open connections. */
  cut(): void
  /** Connections opened from now on go to another server. Open ones stay. */
  redirect(url: string): void
}

export async function tapWire(url: string): Promise<Wire> {
  let target = new URL(url)
  const sockets = new Set<Socket>()
  let trips = 0
  let text = ''
  const server = createServer((client) => {
    const upstream = tcpConnect(Number(target.port || 5432), target.hostname)
    let isAsking = false
    client.on('data', (data) => {
      if (!isAsking) trips++
      isAsking = true
      text += data.toString('latin1')
      upstream.write(data)
    })
    upstream.on('data', (data) => {
      isAsking = false
      client.write(data)
    })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(address.port)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: through.toString(),
    count() {
      const counted = trips
      trips = 0
      return counted
    },
    sent() {
      const sent = text
      text = ''
      return sent
    },
    cut,
    redirect(to) {
      target = new URL(to)
    },
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((closed) => server.close(closed))
    },
  }
}
