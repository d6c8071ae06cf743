import { Socket } from 'node:net'

/**
 * Remote address of a driver's stream: see `Endpoint`. A driver that was given a stream (a tunnel, a
 * connector) reports a host that it never connected to.
 */
export function addressOf(stream: unknown): string | undefined {
  if (stream === undefined || stream === null) return undefined
  const address = typeof stream === 'object' && 'remoteAddress' in stream ? stream.remoteAddress : undefined
  if (typeof address === 'string') return address.replace(/^::ffff:/, '')
  // Not connected yet, or a Unix socket.
  return stream instanceof Socket ? undefined : ''
}
