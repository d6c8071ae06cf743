/** In: the head of a request. Out: nothing, or the reason why it is not even read. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { bare, isLocal, isLoopback, type ListenAddress } from './listen-address.ts'
import { Refusal } from './refusal.ts'

export interface GateOptions {
  readonly token: string
  readonly listen: ListenAddress
  /** Names under which others reach this machine, in lower case. */
  readonly allowedHosts: readonly string[]
}

export type Gate = (request: IncomingMessage) => void

/** Throws `Refusal` for a request that a browser was tricked into, or that lacks the token. */
export function gateFor({ token, listen, allowedHosts }: GateOptions): Gate {
  const wanted = digest(token)
  return ({ headers }) => {
    const { host, origin, authorization = '' } = headers
    if (listen.kind === 'tcp' && !isKnownHost(host, listen, allowedHosts)) {
      throw new Refusal(403, 'forbidden', `The header Host names another service: ${JSON.stringify(host)}.`)
    }
    if (origin !== undefined && origin !== `http://${host}`) {
      throw new Refusal(403, 'forbidden', `The header Origin is that of a page: ${JSON.stringify(origin)}.`)
    }
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? []
    // Digests have one length, so that the comparison takes the same time for every token.
    if (!timingSafeEqual(digest(given), wanted)) {
      throw new Refusal(401, 'unauthorized', 'The header Authorization has to be "Bearer " and the token.')
    }
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * A page that resolves a name of its own to this machine (DNS rebinding) sends that name. An address cannot be
 * rebound.
 */
function isKnownHost(
  header: string | undefined,
  listen: ListenAddress & { readonly kind: 'tcp' },
  allowed: readonly string[],
): boolean {
  const [, given = ''] = /^(\[[\da-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(header ?? '') ?? []
  const name = bare(given).toLowerCase()
  if (isLoopback(name) || allowed.includes(name)) return true
  return isIP(name) !== 0 && !isLocal(listen)
}
