import { isIP } from 'node:net'
import { AfreshError } from '../../errors.ts'

/** Where the service listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string }

/** This machine only, on a port that is free. */
export const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const satisfies ListenAddress

/**
 * Parses `8080`, `127.0.0.1:8080`, `[::1]:8080` or the absolute path of a Unix socket.
 *
 * @throws AfreshError `usage`
 */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('/')) return { kind: 'socket', path: text }
  const [, host, port = ''] = /^(?:(\[[\da-fA-F:.]+\]|[\w.-]+):)?(\d{1,5})$/.exec(text) ?? []
  if (port === '' || Number(port) > 65_535) {
    throw new AfreshError('usage', `${JSON.stringify(text)} is no address to listen on.`, {
      next: 'Write a port, an address with a port (127.0.0.1:8080, [::1]:8080), or the path of a Unix socket.',
    })
  }
  return { kind: 'tcp', host: bare(host ?? LOOPBACK.host), port: Number(port) }
}

/** Whether only processes of this machine can reach it. */
export function isLocal(address: ListenAddress): boolean {
  return address.kind === 'socket' || isLoopback(address.host)
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** An address of IPv6 without its brackets. */
export function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}
