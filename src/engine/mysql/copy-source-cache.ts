import { withCleanUp } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { connect } from './connection.ts'
import { type CopySource, readSource } from './copy-source.ts'
import { DENIED_DATABASE, DENIED_TABLE, NO_DATABASE, NO_TABLE } from './errno.ts'
import { MARKS } from './ownership.ts'
import { literal } from './quote.ts'
import { errnoOf } from './session.ts'

interface SourceWanted {
  /** Of the template. */
  readonly url: string
  readonly template: string
  readonly programs: boolean
}

const MOST_SOURCES = 4
const sources = new Map<string, Promise<CopySource>>()

/**
 * Reads the template. A complete one does not change: this process reads it once for all copies.
 *
 * @param frozen from `frozenMark`
 */
export function sourceOf(frozen: string | undefined, wanted: SourceWanted): Promise<CopySource> {
  return frozen === undefined ? readAll(wanted) : kept(JSON.stringify([wanted, frozen]), wanted)
}

function kept(key: string, wanted: SourceWanted): Promise<CopySource> {
  const found = sources.get(key)
  if (found !== undefined) return found
  for (const oldest of [...sources.keys()].slice(0, sources.size + 1 - MOST_SOURCES)) sources.delete(oldest)
  const reading = readAll(wanted)
  sources.set(key, reading)
  reading.catch(() => sources.delete(key))
  return reading
}

async function readAll({ url, template, programs }: SourceWanted): Promise<CopySource> {
  const connection = await connect(url)
  return withCleanUp(
    () => readSource(connection, template, { programs }),
    () => connection.close(),
  )
}

/** The mark of a complete template and the time of its completion; `undefined` if it is not complete. */
export async function frozenMark(connection: Connection, template: string): Promise<string | undefined> {
  try {
    const [row] = await connection.query(
      `SELECT CONCAT(mark, ' ', frozen_at) AS frozen FROM ${MARKS} WHERE database_name = ${literal(template)}`,
    )
    return typeof row?.frozen === 'string' ? row.frozen : undefined
  } catch (error) {
    const errno = errnoOf(error)
    // There is no registry yet, or this user may not see it.
    if ([NO_DATABASE, NO_TABLE, DENIED_DATABASE, DENIED_TABLE].some((expected) => expected === errno))
      return undefined
    throw error
  }
}
