import { randomBytes } from 'node:crypto'
import { RefusedError } from '../errors.ts'

/** The identity of a database, as an ownership mark states it. */
export interface Identity {
  readonly server: string
  readonly database: string
}

/**
 * What a mark says of its database. `made`: afresh made it, and may drop it. `unfinished`: the same, while it is being
 * filled. `adopted`: a person handed it over; afresh may empty it and never drops it. `attached`: everything in it was
 * empty, and the mark ends with the `attach` that wrote it; one that was killed leaves the mark behind, and it must not
 * stand for good in a database that was never handed over.
 */
export type MarkKind = 'made' | 'unfinished' | 'adopted' | 'attached'

const KIND = /:(made|unfinished|adopted|attached)-[0-9a-f]+$/

/** `afresh:v1:{server}:{database}:{kind}-{nonce}`; the nonce tells a mark that was taken away and put back from the first. */
export function newMark(identity: Identity, kind: MarkKind): string {
  return `${prefixOf(identity)}${kind}-${randomBytes(8).toString('hex')}`
}

/** A mark that does not say what it is gives no licence to drop anything. */
export function kindOf(mark: string): MarkKind {
  return (KIND.exec(mark)?.[1] as MarkKind | undefined) ?? 'adopted'
}

/** Whether afresh made the database of this mark, and may drop it. */
export function isMade(mark: string): boolean {
  const kind = kindOf(mark)
  return kind === 'made' || kind === 'unfinished'
}

/** Whether the mark was made for this very database: a copy or a restored dump carries another one's. */
export function isMarkOf(mark: string, identity: Identity): boolean {
  return mark.startsWith(prefixOf(identity))
}

/** What every mark begins with. */
export const MARK_PREFIX = 'afresh:v1:'

function prefixOf({ server, database }: Identity): string {
  return `${MARK_PREFIX}${server}:${database}:`
}

/**
 * Throws `RefusedError` for a database that is not to be dropped.
 *
 * @param mark the one that it has to carry
 * @param found the one that it carries
 * @param isValid whether that was made for this very database
 */
export function refuseDrop(name: string, mark: string, found: string | undefined, isValid: boolean): void {
  const evidence =
    found === undefined
      ? 'it carries no mark of afresh'
      : found !== mark
        ? 'it carries another mark'
        : !isValid
          ? 'its mark was made for another database'
          : !isMade(found)
            ? 'afresh did not make it: it was handed over, and may be emptied but not dropped'
            : undefined
  if (evidence === undefined) return
  throw new RefusedError(`The database "${name}" is not dropped: ${evidence}.`, {
    next: 'Look at what is in it, and drop it yourself if it is no longer needed.',
  })
}
