import { randomBytes } from 'node:crypto'

/** The identity of a database, as an ownership mark states it. */
export interface Identity {
  readonly server: string
  readonly database: string
}

/**
 * `afresh:v1:{server}:{database}:{nonce}`; the nonce makes a mark that was taken away and put back another one.
 *
 * @param temporary for as long as somebody is attached: whoever is killed leaves it behind, and it must not stand for
 * good in a database that nobody has handed over
 */
export function newMark(identity: Identity, { temporary = false } = {}): string {
  return `${prefixOf(identity)}${temporary ? TEMPORARY : ''}${randomBytes(8).toString('hex')}`
}

const TEMPORARY = 'tmp-'

export function isTemporary(mark: string): boolean {
  return /:tmp-[0-9a-f]+$/.test(mark)
}

/** Whether the mark was made for this very database: a copy or a restored dump carries somebody else's. */
export function isMarkOf(mark: string, identity: Identity): boolean {
  return mark.startsWith(prefixOf(identity))
}

function prefixOf({ server, database }: Identity): string {
  return `afresh:v1:${server}:${database}:`
}
