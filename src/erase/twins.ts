import type { EraseSession, EraseSyntax } from '../engine/erase.ts'
import { AfreshError } from '../errors.ts'
import { type Schema, type Table, type TableId, tableOf } from '../schema/schema.ts'
import type { ErasePlan } from './plan.ts'

const SUFFIX = '_archive'

export interface Twins {
  readonly tables: ReadonlyMap<TableId, Table>
  /** Those that are not there yet. */
  readonly missing: readonly { readonly of: Table; readonly twin: Table }[]
}

/**
 * The twin of each table that rows go from.
 *
 * @throws AfreshError `usage` for one that lacks a column, and for a name that the engine would cut
 */
export function twinsOf({ schema, groups }: ErasePlan, maxNameBytes: number): Twins {
  const tables = new Map<TableId, Table>()
  const missing: { of: Table; twin: Table }[] = []
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

export async function makeTwins(
  session: EraseSession,
  syntax: EraseSyntax,
  { missing }: Twins,
): Promise<void> {
  for (const { of, twin } of missing) {
    await session.define({ sql: syntax.twin(of, twin.name), values: [], reads: false })
  }
}

/** Those that were made for nothing. Another session may have found one, and kept rows there. */
export async function dropTwins(
  session: EraseSession,
  syntax: EraseSyntax,
  { missing }: Twins,
): Promise<void> {
  for (const { twin } of missing) {
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
