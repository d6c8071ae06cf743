import type { ServerEngine } from '../../src/server/server.ts'
import { dirtSql, schemaSql, tableName } from '../schema.ts'

/** A schema, what a test writes to it, and how to undo that by hand. */
export interface Shape {
  /** `partitions:500`. */
  readonly id: string
  /** The number of tables, partitions or children. */
  readonly size: number
  /** In batches: a transaction cannot lock 5,000 partitions. */
  readonly schema: readonly string[]
  /** The writes to these tables, partitions or children. */
  dirt(written: readonly number[]): string
  /** The statements that undo them, for somebody who knows them. */
  byHand(written: readonly number[]): readonly string[]
}

/** How many partitions are created in one transaction. */
const BATCH = 100

export function shapeOf(id: string): Shape {
  const [kind, count] = id.split(':')
  const size = Number(count)
  if (kind === 'tables') return tables(id, size)
  if (kind === 'partitions') return partitions(id, size)
  if (kind === 'inheritance') return inheritance(id, size)
  throw new Error(`--shapes: '${id}' is not one of tables:N, partitions:N, inheritance:N`)
}

function tables(id: string, size: number): Shape {
  return {
    id,
    size,
    schema: [schemaSql('postgres' satisfies ServerEngine, size)],
    dirt: (written) => dirtSql(written),
    byHand: (written) => [
      ...written.toReversed().map((index) => `DELETE FROM ${tableName(index)}`),
      `SELECT ${written.map((index) => `setval('${tableName(index)}_id_seq', 1, false)`).join(', ')}`,
    ],
  }
}

function partitions(id: string, size: number): Shape {
  const leaf = (index: number) =>
    `CREATE TABLE leaf_${index} PARTITION OF parts FOR VALUES FROM (${index * 100}) TO (${index * 100 + 100})`
  return {
    id,
    size,
    schema: [
      `CREATE TABLE parts (id serial, k int, name varchar(40) NOT NULL, PRIMARY KEY (id, k)) PARTITION BY RANGE (k);
        CREATE INDEX ON parts (name)`,
      ...inBatches(size, leaf),
    ],
    dirt: (written) =>
      written
        .map(
          (index) => `INSERT INTO parts (k, name) SELECT ${index * 100}, 'row' FROM generate_series(1, 10)`,
        )
        .join(';'),
    byHand: (written) => [
      ...written.map((index) => `DELETE FROM leaf_${index}`),
      `SELECT setval('parts_id_seq', 1, false)`,
    ],
  }
}

function inheritance(id: string, size: number): Shape {
  const child = (index: number) =>
    `CREATE TABLE child_${index} (PRIMARY KEY (id)) INHERITS (parent); CREATE INDEX ON child_${index} (name)`
  return {
    id,
    size,
    schema: [
      `CREATE TABLE parent (id serial PRIMARY KEY, name varchar(40) NOT NULL)`,
      ...inBatches(size, child),
    ],
    dirt: (written) =>
      written
        .map((index) => `INSERT INTO child_${index} (name) SELECT 'row' FROM generate_series(1, 10)`)
        .join(';'),
    byHand: (written) => [
      ...written.map((index) => `DELETE FROM child_${index}`),
      `SELECT setval('parent_id_seq', 1, false)`,
    ],
  }
}

function inBatches(size: number, sqlOf: (index: number) => string): string[] {
  return Array.from({ length: Math.ceil(size / BATCH) }, (_, batch) =>
    Array.from({ length: Math.min(BATCH, size - batch * BATCH) }, (_, index) =>
      sqlOf(batch * BATCH + index),
    ).join(';'),
  )
}
