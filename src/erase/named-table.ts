import { AfreshError } from '../errors.ts'
import type { Table } from '../schema/schema.ts'
import type { ArchiveTables } from './archive-tables.ts'
import { NoTableError, tableNamed } from './options.ts'
import type { EraseContext } from './run-transaction.ts'

type Catalog = Pick<EraseContext, 'engine' | 'connection' | 'schema'>

/**
 * `tableNamed`, whose error says what the name belongs to if it is no table.
 *
 * @throws AfreshError `usage`
 */
export async function namedTable({ engine, connection, schema }: Catalog, name: string): Promise<Table> {
  try {
    return tableNamed(schema, name)
  } catch (error) {
    const kind = error instanceof NoTableError ? await engine.erase.kindOf(connection, name) : undefined
    if (kind === undefined) throw error
    throw new AfreshError('usage', `${JSON.stringify(name)} is ${kind}, not a table.`, {
      next: /view/.test(kind) ? 'Name the table that its rows are in.' : '`afresh plan` lists the tables.',
    })
  }
}

/** @throws AfreshError `usage` if an archive table cannot be created because its name is taken */
export async function refuseTakenNames(
  { engine, connection }: Catalog,
  { missing }: ArchiveTables,
): Promise<void> {
  for (const { of, archive } of missing) {
    const kind = await engine.erase.kindOf(connection, `${archive.schema}.${archive.name}`)
    if (kind === undefined) continue
    throw new AfreshError(
      'usage',
      `archive: the rows of ${of.label} would be copied to a table ${archive.label}, and ${archive.label} is ${kind}.`,
      { next: 'Rename it, or copy the rows yourself. Nothing was changed.' },
    )
  }
}
