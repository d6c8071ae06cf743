import { randomBytes } from 'node:crypto'
import { RefusedError } from '../errors.ts'

/** The identity of a database, as its ownership mark records it. */
export interface Identity {
  readonly server: string
  readonly database: string
}

/**
 * The history of a database. `made`: afresh created it, and may drop it. `unfinished`: the same, while afresh
 * fills it. `adopted`: a person handed it over; afresh may empty it and never drops it. `attached`: all its
 * tables were empty, and `attach` removes the mark when it ends. A killed `attach` leaves the mark behind;
 * such a mark must not authorize later runs, because the database was never handed over.
 */
export type MarkKind = 'made' | 'unfinished' | 'adopted' | 'attached'

const KIND = /:(made|unfinished|adopted|attached)-[0-9a-f]+$/

/**
 * `afresh:v1:{server}:{database}:{kind}-{nonce}`. The nonce distinguishes a removed and rewritten mark from
 * the first.
 */
export function newMark(identity: Identity, kind: MarkKind): string {
  return `${prefixOf(identity)}${kind}-${randomBytes(8).toString('hex')}`
}

/** Returns `adopted`, which never permits a drop, for a mark without a kind. */
export function kindOf(mark: string): MarkKind {
  return (KIND.exec(mark)?.[1] as MarkKind | undefined) ?? 'adopted'
}

/** Whether afresh created the database of this mark, and may drop it. */
export function isMade(mark: string): boolean {
  const kind = kindOf(mark)
  return kind === 'made' || kind === 'unfinished'
}

/** Whether the mark was made for this database. A copy or a restored dump carries the mark of another one. */
export function isMarkOf(mark: string, identity: Identity): boolean {
  return mark.startsWith(prefixOf(identity))
}

export const MARK_PREFIX = 'afresh:v1:'

function prefixOf({ server, database }: Identity): string {
  return `${MARK_PREFIX}${server}:${database}:`
}

/**
 * Throws `RefusedError` for a database that must not be dropped.
 *
 * @param mark the expected mark
 * @param found the mark that the database carries
 * @param isValid whether that mark was made for this database
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
    next: 'Look at what is in it, and drop it manually if it is no longer needed.',
  })
}
