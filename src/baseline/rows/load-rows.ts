/**
 * In: files with rows, and a database with tables. Out: the rows are in the tables, parents first, whatever the
 * order of the files. Called for the baseline, and for `load`.
 */
import { extname } from 'node:path'
import { type BulkInsertOptions, RowError, type RowGroup, type RowSource } from '../../engine/bulk-insert.ts'
import type { Connection } from '../../engine/connection.ts'
import type { Engine } from '../../engine/engine.ts'
import { AfreshError } from '../../errors.ts'
import { graphOf } from '../../schema/graph.ts'
import type { Schema } from '../../schema/schema.ts'
import type { InputFile } from '../files.ts'
import type { FileRows } from './file-rows.ts'
import { matched, positionText } from './match-rows.ts'
import { readCsv } from './read-csv.ts'
import { readJson } from './read-json.ts'

export interface RowTarget {
  readonly engine: Pick<Engine, 'bulkInsert'>
  readonly connection: Connection
  readonly schema: Schema
}

/**
 * Loads the files in one transaction.
 *
 * @throws AfreshError `baseline` with file, line, table and column of what cannot be loaded; `blocked`
 */
export async function loadRows(
  { engine, connection, schema }: RowTarget,
  files: readonly InputFile[],
  options: BulkInsertOptions = {},
): Promise<void> {
  const sources: RowSource[] = []
  for (const file of files) {
    for (const rows of await read(file)) sources.push(matched(schema, rows))
  }
  try {
    await engine.bulkInsert.insert(connection, schema, groupsOf(schema, sources), options)
  } catch (error) {
    throw error instanceof RowError ? rejected(error) : error
  }
}

async function read(file: InputFile): Promise<FileRows[]> {
  switch (extname(file.path).toLowerCase()) {
    case '.csv':
      return readCsv(file)
    case '.json':
      return readJson(file)
    default: {
      const { readYaml } = await import('./read-yaml.ts')
      return readYaml(file)
    }
  }
}

/** Parents before children. Tables that reference each other are one group. */
function groupsOf(schema: Schema, sources: readonly RowSource[]): RowGroup[] {
  const { order, selfReferencing } = graphOf(schema)
  return order.toReversed().flatMap((ids) => {
    const own = sources.filter(({ table }) => ids.includes(table.id))
    if (own.length === 0) return []
    const isCyclic = ids.length > 1 || ids.some((id) => selfReferencing.has(id))
    return [{ isCyclic, sources: isCyclic ? merged(own) : own }]
  })
}

/** Rows with the same columns together: rows that reference each other have ids, so their order does not matter. */
function merged(sources: readonly RowSource[]): RowSource[] {
  const byColumns = new Map<string, RowSource[]>()
  for (const source of sources) {
    const key = [source.file, source.table.id, ...source.columns.map(({ name }) => name)].join('\0')
    byColumns.set(key, [...(byColumns.get(key) ?? []), source])
  }
  return [...byColumns.values()].flatMap((parts) => {
    const [first] = parts
    if (first === undefined) return []
    return {
      ...first,
      async *batches() {
        for (const part of parts) yield* part.batches()
      },
    }
  })
}

function rejected(error: RowError): AfreshError {
  const { source, line, column, next } = error.position
  const position = positionText({ file: source?.file, line, table: source?.table.label, column })
  return new AfreshError('baseline', `${position === '' ? 'fixtures' : position}: ${error.message}`, {
    next: next ?? 'Correct the file; none of its rows was kept.',
    cause: error.cause,
  })
}
