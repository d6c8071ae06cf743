import type { EraseSession, EraseSyntax } from '../engine/erase.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { type Schema, type Table, type TableId, tableOf } from '../schema/schema.ts'
import type { ErasePlan } from './plan.ts'

const SUFFIX = '_archive'

export interface Twins {
  readonly tables: ReadonlyMap<TableId, Table>
  /** Those that are not there yet. */
  readonly missing: readonly Twin[]
}

interface Twin {
  readonly of: Table
  readonly twin: Table
}

/**
 * The twin of each table that rows go from.
 *
 * @throws AfreshError `usage` for one that lacks a column, and for a name that the engine would cut
 */
export function twinsOf({ schema, groups }: ErasePlan, maxNameBytes: number): Twins {
  const tables = new Map<TableId, Table>()
  const missing: Twin[] = []
  for (const id of groups.flatMap((group) => group.tables)) {
    const of = tableOf(schema, id)
    const name = `${of.name}${SUFFIX}`
    const there = schema.tables.find((table) => table.schema === of.schema && table.name === name)
    if (there === undefined) refuseLongName(name, maxNameBytes)
    else refuseOther(of, there)
    const twin = there ?? { ...of, id: `${of.id}${SUFFIX}`, name, label: `${of.label}${SUFFIX}` }
    tables.set(id, twin)
    if (there === undefined) missing.push({ of, twin })
  }
  return { tables, missing }
}

/** Runs `body` with all twins there. Where it fails, or is only tried, those that were made for it go again. */
export async function withTwins<T>(
  { session, syntax, keep }: { session: EraseSession; syntax: EraseSyntax; keep: boolean },
  { missing }: Twins,
  body: () => Promise<T>,
): Promise<T> {
  const made: Twin[] = []
  const work = async () => {
    for (const one of missing) {
      await session.define({ sql: syntax.twin(one.of, one.twin.name), values: [], reads: false })
      made.push(one)
    }
    return body()
  }
  const undo = () => dropTwins(session, syntax, made)
  return keep ? withUndo(work, undo) : withCleanUp(work, undo)
}

/** But for those that hold rows: of batches before, or of another session that found one. */
async function dropTwins(session: EraseSession, syntax: EraseSyntax, made: readonly Twin[]): Promise<void> {
  for (const { twin } of made) {
    await session.dropEmpty(syntax.family(twin))
  }
}

/** Whether rows of another table are kept there: what was purged is not purged again. */
export function isTwin({ tables }: Schema, { schema, name }: Table): boolean {
  return tables.some((of) => of.schema === schema && name === `${of.name}${SUFFIX}`)
}

function refuseLongName(name: string, maxNameBytes: number): void {
  if (Buffer.byteLength(name) <= maxNameBytes) return
  throw new AfreshError('usage', `archive: the name ${name} is too long for a table.`, {
    next: 'Rename the table, or copy the rows yourself.',
  })
}

function refuseOther(of: Table, twin: Table): void {
  const names = new Set(twin.columns.map(({ name }) => name))
  const lacking = of.columns.filter(({ name }) => !names.has(name)).map(({ name }) => name)
  if (lacking.length === 0) return
  throw new AfreshError(
    'usage',
    `archive: ${twin.label} has no column ${lacking.join(', ')}, as ${of.label} has.`,
    {
      next: `Add it there, or rename ${twin.label}: a new one is made then.`,
    },
  )
}
