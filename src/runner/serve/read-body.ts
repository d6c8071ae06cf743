import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.ts'

/** Long enough for a list of some ten thousand keys. */
const MOST_BYTES = 2 ** 20

/**
 * The JSON of a request; `{}` if it has no body.
 *
 * @param sendContinue tells a client that waits for it to send the body
 * @throws Refusal for a body that is too long, is no JSON, or was not declared as such
 */
export async function readBody(request: IncomingMessage, sendContinue: () => void): Promise<unknown> {
  const {
    'content-length': length,
    'transfer-encoding': encoding,
    'content-type': type = '',
  } = request.headers
  if (encoding === undefined && (length === undefined || length === '0')) return {}
  // A page can send other types to any address without asking.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Refusal(415, 'media-type', 'The header Content-Type has to be application/json.')
  }
  if (Number(length ?? 0) > MOST_BYTES) throw tooLarge()
  sendContinue()
  const chunks: Buffer[] = []
  let bytes = 0
  // The connection stays for the answer to a body that is too long.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    throw new Refusal(400, 'usage', 'The body is no JSON.')
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, 'too-large', `The body has more than ${MOST_BYTES} bytes.`)
}
