import { randomBytes } from 'node:crypto'

/** The identity of a database, as an ownership mark states it. */
export interface Identity {
  readonly server: string
  readonly database: string
}

/** `afresh:v1:{server}:{database}:{nonce}`; the nonce makes a mark that was taken away and put back another one. */
export function newMark(identity: Identity): string {
  return `${prefixOf(identity)}${randomBytes(8).toString('hex')}`
}

/** Whether the mark was made for this very database: a copy or a restored dump carries somebody else's. */
export function isMarkOf(mark: string, identity: Identity): boolean {
  return mark.startsWith(prefixOf(identity))
}

function prefixOf({ server, database }: Identity): string {
  return `afresh:v1:${server}:${database}:`
}
