import type { EraseDialect, EraseSession } from '../engine/erase-dialect.ts'
import { isUnproven } from '../engine/erase-proof.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { isCalled } from '../schema/filter.ts'
import { type Schema, type Table, type TableId, tableOf } from '../schema/schema.ts'
import type { ErasePlan } from './plan.ts'

const SUFFIX = '_archive'

export interface ArchiveTables {
  readonly tables: ReadonlyMap<TableId, Table>
  /** Archive tables that do not exist yet. */
  readonly missing: readonly ArchiveTable[]
}

interface ArchiveTable {
  readonly of: Table
  readonly archive: Table
}

/**
 * The archive table of each table whose rows are deleted.
 *
 * @throws AfreshError `usage` for an archive table that lacks a column, and for a name that is too long for
 *   the engine
 */
export function archiveTablesOf({ schema, groups }: ErasePlan, maxNameBytes: number): ArchiveTables {
  const tables = new Map<TableId, Table>()
  const missing: ArchiveTable[] = []
  for (const id of groups.flatMap((group) => group.tables)) {
    const of = tableOf(schema, id)
    const name = `${of.name}${SUFFIX}`
    const existing = schema.tables.find(
      (table) => table.schema === of.schema && isCalled(schema, table.name, name),
    )
    if (existing === undefined) refuseLongName(name, maxNameBytes)
    else refuseOther(of, existing)
    const archive = existing ?? archiveLike(of, name)
    tables.set(id, archive)
    if (existing === undefined) missing.push({ of, archive })
  }
  return { tables, missing }
}

/** The table that `createLike` creates: without triggers, and every column stores what it is given. */
function archiveLike(of: Table, name: string): Table {
  const columns = of.columns.map((column) => ({ ...column, generated: false, identity: undefined }))
  return { ...of, id: `${of.id}${SUFFIX}`, name, label: `${of.label}${SUFFIX}`, columns, triggers: [] }
}

/** Runs `body` with all archive tables. If it fails, or in a dry run, drops those created for it. */
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
    // If the database is no longer owned by afresh, the cleanup fails too: the first error says why.
    throw error instanceof AggregateError && isUnproven(error.cause) ? error.cause : error
  }
}

/** Except those with rows: of earlier batches, or of another session that found the table. */
async function dropArchiveTables(
  session: EraseSession,
  syntax: EraseDialect,
  made: readonly ArchiveTable[],
): Promise<void> {
  for (const { archive } of made) {
    await session.dropEmpty(syntax.tableWithInheritors(archive))
  }
}

/** Whether rows of another table are archived in it: a purge skips archive tables. */
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
  if (lacking.length === 0) {
    refuseGenerated(of, archive)
    return
  }
  throw new AfreshError(
    'usage',
    `archive: ${archive.label} has no column ${lacking.join(', ')}, as ${of.label} has.`,
    {
      next: `Add it there, or rename ${archive.label}: a new one is then created.`,
    },
  )
}

/** What both compute is left to the archive table; what only the archive computes would be lost. */
function refuseGenerated(of: Table, archive: Table): void {
  const stored = new Set(of.columns.filter(({ generated }) => !generated).map(({ name }) => name))
  const lost = archive.columns.filter(({ name, generated }) => generated && stored.has(name))
  if (lost.length === 0) return
  const names = lost.map(({ name }) => name).join(', ')
  throw new AfreshError(
    'usage',
    `archive: ${archive.label}.${names} is generated, and ${of.label} stores it.`,
    {
      next: `Make it an ordinary column there, or rename ${archive.label}: a new one is then created.`,
    },
  )
}
