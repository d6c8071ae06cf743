import type { EraseDialect, EraseSession } from '../engine/erase-dialect.ts'
import { isUnproven } from '../engine/erase-proof.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { isCalled } from '../schema/filter.ts'
import { type Schema, type Table, type TableId, tableOf } from '../schema/schema.ts'
import type { ErasePlan } from './plan.ts'

const SUFFIX = '_archive'

export interface ArchiveTables {
  readonly tables: ReadonlyMap<TableId, Table>
  /** Those that are not there yet. */
  readonly missing: readonly ArchiveTable[]
}

interface ArchiveTable {
  readonly of: Table
  readonly archive: Table
}

/**
 * The archive of each table that rows go from.
 *
 * @throws AfreshError `usage` for one that lacks a column, and for a name that the engine would cut
 */
export function archiveTablesOf({ schema, groups }: ErasePlan, maxNameBytes: number): ArchiveTables {
  const tables = new Map<TableId, Table>()
  const missing: ArchiveTable[] = []
  for (const id of groups.flatMap((group) => group.tables)) {
    const of = tableOf(schema, id)
    const name = `${of.name}${SUFFIX}`
    const there = schema.tables.find(
      (table) => table.schema === of.schema && isCalled(schema, table.name, name),
    )
    if (there === undefined) refuseLongName(name, maxNameBytes)
    else refuseOther(of, there)
    const archive = there ?? { ...of, id: `${of.id}${SUFFIX}`, name, label: `${of.label}${SUFFIX}` }
    tables.set(id, archive)
    if (there === undefined) missing.push({ of, archive })
  }
  return { tables, missing }
}

/** Runs `body` with all archive tables there. Where it fails, or is only tried, those that were made for it go again. */
export async function withArchiveTables<T>(
  { session, syntax, keep }: { session: EraseSession; syntax: EraseDialect; keep: boolean },
  { missing }: ArchiveTables,
  body: () => Promise<T>,
): Promise<T> {
  const made: ArchiveTable[] = []
  const work = async () => {
    for (const missingArchive of missing) {
      await session.define({
        sql: syntax.createLike(missingArchive.of, missingArchive.archive.name),
        values: [],
        reads: false,
      })
      made.push(missingArchive)
    }
    return body()
  }
  const undo = () => dropArchiveTables(session, syntax, made)
  try {
    return await (keep ? withUndo(work, undo) : withCleanUp(work, undo))
  } catch (error) {
    // What is ours no longer is not cleaned up either: why is told by the first of the two.
    throw error instanceof AggregateError && isUnproven(error.cause) ? error.cause : error
  }
}

/** But for those that hold rows: of batches before, or of another session that found one. */
async function dropArchiveTables(
  session: EraseSession,
  syntax: EraseDialect,
  made: readonly ArchiveTable[],
): Promise<void> {
  for (const { archive } of made) {
    await session.dropEmpty(syntax.tableWithInheritors(archive))
  }
}

/** Whether rows of another table are kept there: what was purged is not purged again. */
export function isArchiveTable({ tables }: Schema, { schema, name }: Table): boolean {
  return tables.some((of) => of.schema === schema && name === `${of.name}${SUFFIX}`)
}

function refuseLongName(name: string, maxNameBytes: number): void {
  if (Buffer.byteLength(name) <= maxNameBytes) return
  throw new AfreshError('usage', `archive: the name ${name} is too long for a table.`, {
    next: 'Rename the table, or copy the rows yourself.',
  })
}

function refuseOther(of: Table, archive: Table): void {
  const names = new Set(archive.columns.map(({ name }) => name))
  const lacking = of.columns.filter(({ name }) => !names.has(name)).map(({ name }) => name)
  if (lacking.length === 0) return
  throw new AfreshError(
    'usage',
    `archive: ${archive.label} has no column ${lacking.join(', ')}, as ${of.label} has.`,
    {
      next: `Add it there, or rename ${archive.label}: a new one is made then.`,
    },
  )
}
