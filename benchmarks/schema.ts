import type { Random } from '../src/generate/random.ts'
import type { ServerEngine } from '../src/server/server.ts'
import type { Client, Row } from './client.ts'

/** The number of rows that a test inserts into each dirty table. */
export const ROWS_PER_TABLE = 10
export const REFERENCE_ROWS = 200

const KEY: Readonly<Record<ServerEngine, string>> = {
  postgres: 'serial',
  mysql: 'integer AUTO_INCREMENT',
  mariadb: 'integer AUTO_INCREMENT',
}

export const tableName = (index: number) => `t${index}`

export function tableNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => tableName(index))
}

/** Tables in a chain: each with a generated key, one more index, and a foreign key to the previous table. */
export function schemaSql(engine: ServerEngine, count: number): string {
  return tableNames(count)
    .map((table, index) => {
      const columns = [`id ${KEY[engine]} PRIMARY KEY`, 'name varchar(40) NOT NULL', 'parent integer']
      if (index > 0) columns.push(`FOREIGN KEY (parent) REFERENCES ${tableName(index - 1)} (id)`)
      return `CREATE TABLE ${table} (${columns.join(', ')}); CREATE INDEX ${table}_parent ON ${table} (parent)`
    })
    .join(';\n')
}

/** A table with baseline rows, such as currencies or roles. */
export function referenceSql(engine: ServerEngine): string {
  return `CREATE TABLE reference (id ${KEY[engine]} PRIMARY KEY, name varchar(40) NOT NULL); ${referenceRowsSql()}`
}

/** Numbered by its counter: the next id of the baseline is 201. */
export function referenceRowsSql(): string {
  const rows = Array.from({ length: REFERENCE_ROWS }, (_, index) => `('row ${index + 1}')`)
  return `INSERT INTO reference (name) VALUES ${rows.join(', ')}`
}

/** Picks `dirty` adjacent tables, anywhere in the chain. */
export function pickDirty(random: Random, count: number, dirty: number): number[] {
  const first = random.int(0, count - dirty)
  return Array.from({ length: dirty }, (_, index) => first + index)
}

/** The writes of a test: every row refers to a row of the previous table. */
export function dirtSql(dirty: readonly number[], { rows = ROWS_PER_TABLE, name = 'row' } = {}): string {
  return dirty
    .map((index, position) => {
      const into = `INSERT INTO ${tableName(index)} (name, parent)`
      const values = Array.from({ length: rows }, () => `('${name}', NULL)`).join(', ')
      return position === 0
        ? `${into} VALUES ${values}`
        : `${into} SELECT '${name}', id FROM ${tableName(index - 1)} ORDER BY id LIMIT ${rows}`
    })
    .join(';\n')
}

/** Changes one row, deletes one, and inserts one. */
export const REFERENCE_DIRT = `UPDATE reference SET name = 'changed' WHERE id = 7; DELETE FROM reference WHERE id = 8;
  INSERT INTO reference (name) VALUES ('new')`

/** Describes what is not at the baseline; empty if everything is. */
export async function leftovers(client: Client, dirty: readonly number[]): Promise<string[]> {
  const left: string[] = []
  if (dirty.length === 0) return left
  const counts = dirty.map((index) => `SELECT COUNT(*) AS n FROM ${tableName(index)}`)
  const [rows] = await client.run(`SELECT SUM(n) AS n FROM (${counts.join(' UNION ALL ')}) AS counts`)
  if (Number(rows?.n) > 0) left.push('rows')
  const first = tableName(dirty[0] ?? 0)
  await client.run(`INSERT INTO ${first} (name) VALUES ('probe')`)
  const [row] = await client.run(`SELECT MAX(id) AS id FROM ${first}`)
  if (Number(row?.id) !== 1) left.push('ids')
  return left
}

export async function referenceLeftovers(client: Client): Promise<string[]> {
  const rows = await client.run('SELECT id, name FROM reference ORDER BY id')
  const isBack = rows.length === REFERENCE_ROWS && rows.every(isReferenceRow)
  return isBack ? [] : ['reference rows']
}

function isReferenceRow({ id, name }: Row, index: number): boolean {
  return id === index + 1 && name === `row ${index + 1}`
}
