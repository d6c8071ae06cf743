import { Socket } from 'node:net'

/**
 * Whom a driver's stream talks to: see `Endpoint`. A driver that was given a stream (a tunnel, a connector) tells a host that
 * it never asked for.
 */
export function addressOf(stream: unknown): string | undefined {
  if (stream === undefined || stream === null) return undefined
  const address = typeof stream === 'object' && 'remoteAddress' in stream ? stream.remoteAddress : undefined
  if (typeof address === 'string') return address.replace(/^::ffff:/, '')
  // One that is not connected yet, or is that of a Unix socket.
  return stream instanceof Socket ? undefined : ''
}
