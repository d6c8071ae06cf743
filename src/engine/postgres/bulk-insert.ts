import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import { type Schema, type Sequence, tableOf } from '../../schema/schema.ts'
import { type BulkInsert, RowError, type RowGroup, type RowPosition, type RowSource } from '../bulk-insert.ts'
import type { Connection } from '../connection.ts'
import { isUnproven } from '../erase-proof.ts'
import { rowAt, rowWithKey } from '../find-row.ts'
import { type CopyTarget, copyIn, copyTargetOf } from './copy-in.ts'
import { copyRow } from './copy-text.ts'
import { begin } from './erase-transaction.ts'
import { ident, literal, qualified } from './quote.ts'
import { READABLE, settingsSql } from './settings.ts'

export const bulkInsert: BulkInsert = {
  async insert(connection, schema, groups, { lockTimeoutMs, proof }) {
    const transaction = await begin(connection, proof, 'none')
    const restore = transaction.isNested ? await settingsNow(connection) : ''
    const sources = groups.flatMap((group) => group.sources)
    try {
      await connection.query(
        [
          // Triggers and defaults are the user's: they resolve names as in a user's session.
          'SET LOCAL search_path TO DEFAULT',
          settingsSql(
            'SET LOCAL',
            READABLE.filter(([name]) => NEEDED.includes(name)),
          ),
          ...(lockTimeoutMs === undefined ? [] : [`SET LOCAL lock_timeout = ${lockTimeoutMs}`]),
        ].join('; '),
      )
      await insertGroups(connection, groups)
      await moveSequences(connection, schema, sources)
      if (restore !== '') await connection.query(restore)
      await transaction.commit([])
    } catch (error) {
      await transaction.rollback().catch(() => {})
      throw isUnproven(error) ? error : await explained(error, sources)
    }
  },
}

const NEEDED = ['datestyle', 'intervalstyle', 'timezone', 'xmloption', 'array_nulls']

/** Restores the settings of a transaction of the user, which outlives the savepoint. */
async function settingsNow(connection: Connection): Promise<string> {
  const names = ['search_path', 'lock_timeout', ...NEEDED]
  const values = names.map((name) => `pg_catalog.current_setting('${name}') AS ${name}`)
  const [row] = await connection.query(`SELECT ${values.join(', ')}`)
  const sets = names.map((name) => `pg_catalog.set_config('${name}', ${literal(String(row?.[name]))}, true)`)
  return `SELECT ${sets.join(', ')}`
}

async function insertGroups(connection: Connection, groups: readonly RowGroup[]): Promise<void> {
  const target = copyTargetOf(connection)
  let staged = 0
  for (const { sources, isCyclic } of groups) {
    // A COPY checks keys when it ends, so that the rows of one may be in any order. A blob is sent in several.
    if (isCyclic && (sources.length > 1 || target.kind === 'blob')) {
      await insertTogether(connection, target, sources, () => `pg_temp.afresh_rows_${++staged}`)
    } else {
      for (const source of sources) await copy(target, qualified(source.table), source)
    }
  }
}

async function copy(target: CopyTarget, table: string, source: RowSource): Promise<void> {
  const blobs: number[] = []
  try {
    await copyIn(target, `${table} (${columnList(source)})`, encoded(source, blobs))
  } catch (error) {
    // Rows are counted within a COPY, and there is one COPY for each blob.
    const before = target.kind === 'blob' ? blobs.slice(0, -1).reduce((sum, rows) => sum + rows, 0) : 0
    throw error instanceof RowError ? error : new CopyError(source, before, error)
  }
}

/** COPY … failed: which of the rows it was is in the error of the server. */
class CopyError extends Error {
  readonly source: RowSource
  readonly rowsBefore: number

  constructor(source: RowSource, rowsBefore: number, cause: unknown) {
    super(messageOf(cause), { cause })
    this.source = source
    this.rowsBefore = rowsBefore
  }
}

/** @param blobs gets the number of rows of each text */
async function* encoded({ batches, columns }: RowSource, blobs: number[]): AsyncGenerator<string> {
  for await (const batch of batches()) {
    blobs.push(batch.length)
    let text = ''
    for (const row of batch) text += copyRow(row, columns)
    yield text
  }
}

/**
 * Foreign keys are checked at the end of a statement: one that inserts into all tables of a cycle needs no
 * deferrable key, no privilege and no second look.
 */
async function insertTogether(
  connection: Connection,
  target: CopyTarget,
  sources: readonly RowSource[],
  newName: () => string,
): Promise<void> {
  const inserts: string[] = []
  for (const source of sources) {
    const name = newName()
    const columns = columnList(source)
    await connection.query(
      `CREATE TEMPORARY TABLE ${name} ON COMMIT DROP AS SELECT ${columns} FROM ${qualified(source.table)} WITH NO DATA`,
    )
    await copy(target, name, source)
    inserts.push(
      `INSERT INTO ${qualified(source.table)} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${name}`,
    )
  }
  const parts = inserts.map((insert, index) => `i${index} AS (${insert})`)
  await connection.query(`WITH ${parts.join(', ')} SELECT`)
}

function columnList({ columns }: RowSource): string {
  return columns.map(({ name }) => ident(name)).join(', ')
}

/** Only forward: a sequence that is further on stays there. */
async function moveSequences(
  connection: Connection,
  schema: Schema,
  sources: readonly RowSource[],
): Promise<void> {
  const given = new Set(
    sources.flatMap(({ table, columns }) => columns.map(({ name }) => `${table.id} ${name}`)),
  )
  const moves = schema.sequences.flatMap((sequence) =>
    sequence.ownedBy !== undefined && given.has(`${sequence.ownedBy.table} ${sequence.ownedBy.column}`)
      ? [moveSql(schema, sequence, sequence.ownedBy)]
      : [],
  )
  for (const move of moves) await connection.query(move)
}

function moveSql(
  schema: Schema,
  { increment, min, max, ...sequence }: Sequence,
  { table, column }: { readonly table: string; readonly column: string },
): string {
  const [furthest, further] = increment > 0n ? ['max', '>'] : ['min', '<']
  return `SELECT pg_catalog.setval(${literal(qualified(sequence))}::pg_catalog.regclass,
      least(greatest(rows.value, ${min}), ${max}))
    FROM (SELECT pg_catalog.${furthest}(${ident(column)})::pg_catalog.int8 AS value
      FROM ${qualified(tableOf(schema, table))}) AS rows, ${qualified(sequence)} AS now
    WHERE rows.value BETWEEN ${min} AND ${max}
      AND (rows.value ${further} now.last_value OR rows.value = now.last_value AND NOT now.is_called)`
}

async function explained(error: unknown, sources: readonly RowSource[]): Promise<unknown> {
  if (error instanceof RowError) return error
  const cause = error instanceof CopyError ? error.cause : error
  const code = codeOf(cause)
  if (code === undefined) return error
  if (code === '55P03') return locked(cause)
  return new RowError(messageOf(cause), await positionOf(error, cause, sources), cause)
}

/** `COPY orders, line 3, column amount: "x"`, also in most other languages. */
const WHERE = /^COPY .*?, \p{L}+ (\d+)(?:, \p{L}+ ([^:]+?)\s?:|:|$)/mu

/** `Key (customer)=(7) is not present in table "customers".` */
const KEY = /\(([^()]+)\)=\(([\s\S]*)\)/

async function positionOf(
  error: unknown,
  cause: unknown,
  sources: readonly RowSource[],
): Promise<RowPosition> {
  const { where, detail, table, schema, column } = fieldsOf(cause)
  const [, row, ofRow] = WHERE.exec(where) ?? []
  if (error instanceof CopyError && row !== undefined) {
    const position = await rowAt(error.source, error.rowsBefore + Number(row) - 1)
    return { ...position, column: ofRow ?? (column === '' ? undefined : column) }
  }
  const ofTable = sources.filter((source) => source.table.name === table && source.table.schema === schema)
  const [, columns, text] = KEY.exec(detail) ?? []
  if (columns !== undefined && text !== undefined) {
    const names = columns.split(', ').map((name) => name.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'))
    const found = await rowWithKey(ofTable, names, text)
    if (found !== undefined) return found
  }
  const source = error instanceof CopyError ? error.source : ofTable[0]
  return { source, column: column === '' ? undefined : column }
}

function fieldsOf(cause: unknown): Record<'where' | 'detail' | 'table' | 'schema' | 'column', string> {
  const field = (name: string) => {
    const value: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, name) : undefined
    return typeof value === 'string' ? value : ''
  }
  return {
    where: field('where'),
    detail: field('detail'),
    table: field('table'),
    schema: field('schema'),
    column: field('column'),
  }
}

function locked(cause: unknown): AfreshError {
  return new AfreshError(
    'blocked',
    `Another session held a lock while rows were loaded: ${messageOf(cause)}.`,
    {
      next: 'Nothing was loaded. End the transaction that holds the lock, or load before it begins.',
      cause,
    },
  )
}
