import { messageOf, withCleanUp } from '../../errors.ts'
import type { TableId } from '../../schema/schema.ts'
import {
  type BenchDialect,
  benchTables,
  INDEXED,
  INDEXES,
  REFERRED_ROWS,
  REFERRING_ROWS,
  type Shape,
} from '../bench-dialect.ts'
import type { Connection } from '../connection.ts'
import { settingsOf } from './bench-settings.ts'
import { OWN_NAMESPACES } from './introspect-sequences.ts'
import { literal } from './quote.ts'
import { triggerSuspensionsOf } from './suspend-triggers.ts'

/** The text of a row: 25 bytes, 1 kB, or 9 kB stored uncompressed in the TOAST table. */
const TEXT: Readonly<Record<Shape['width'], string>> = {
  narrow: `'a label of a usual length'`,
  wide: `repeat('x', 1000)`,
  'off-page': `repeat('x', 9000)`,
}

// Autovacuum would run at unpredictable times, as a second writer.
const QUIET = 'WITH (autovacuum_enabled = false)'

export const bench: BenchDialect = {
  lacks: () => undefined,

  create(shape) {
    const tables = benchTables(shape)
    return [
      ...(shape.outgoing === 'none'
        ? []
        : [
            'CREATE TABLE referred (id int PRIMARY KEY)',
            `INSERT INTO referred SELECT generate_series(1, ${REFERRED_ROWS})`,
          ]),
      ...tables.flatMap((table) => createTable(table, shape)),
      ...(shape.children
        ? [
            `CREATE TABLE children (id serial PRIMARY KEY, t1_id int NOT NULL REFERENCES t1 ON DELETE CASCADE) ${QUIET}`,
            'CREATE INDEX ON children (t1_id)',
          ]
        : []),
      ...(shape.incoming === 'none'
        ? []
        : [
            `CREATE TABLE referring (id serial PRIMARY KEY, t1_id int REFERENCES t1) ${QUIET}`,
            ...(shape.incoming === 'indexed' ? ['CREATE INDEX ON referring (t1_id)'] : []),
            fillReferring,
          ]),
    ]
  },

  fill(shape, from, to) {
    const values = `nullif(n % ${REFERRED_ROWS}, 0), n / 10, n % 1000, n % 10007 * 7919 % 10007, -n, n, ${TEXT[shape.width]}`
    const numbers = `generate_series(${from}, ${to}) AS n`
    return [
      ...benchTables(shape).map(
        (table) =>
          `INSERT INTO ${table} (parent, ${INDEXED.join(', ')}, label) SELECT ${values} FROM ${numbers}`,
      ),
      ...(shape.children ? [`INSERT INTO children (t1_id) SELECT n FROM ${numbers}`] : []),
    ]
  },

  renew(shape) {
    const truncate = `TRUNCATE ${benchTables(shape).join(', ')} RESTART IDENTITY CASCADE`
    return shape.incoming === 'none' ? [truncate] : [truncate, fillReferring]
  },

  empty(method, shape) {
    const tables = benchTables(shape)
    const referrers = [
      ...(shape.incoming === 'none' ? [] : ['referring']),
      ...(shape.children ? ['children'] : []),
    ]
    const deletes = tables.map((table) => `DELETE FROM ${table}`)
    switch (method) {
      case 'delete':
        return deletes
      case 'delete-restart':
        return [
          ...deletes,
          `SELECT ${tables.map((table) => `setval('${table}_id_seq', 1, false)`).join(', ')}`,
        ]
      case 'truncate':
        return [`TRUNCATE ${[...tables, ...referrers].join(', ')}`]
      case 'truncate-restart':
        return [`TRUNCATE ${[...tables, ...referrers].join(', ')} RESTART IDENTITY`]
      case 'truncate-cascade':
        return [`TRUNCATE ${tables.join(', ')} CASCADE`]
      case 'drop-create':
        // Referencing tables would need their foreign keys recreated.
        if (referrers.length > 0) return undefined
        return tables.flatMap((table) => [`DROP TABLE ${table}`, ...createTable(table, shape)])
      case 'swap':
        if (referrers.length > 0 || shape.outgoing !== 'none' || shape.partitions > 0 || shape.trigger)
          return undefined // LIKE copies none of these
        return tables.flatMap(swap)
      case 'delete-rows':
        return undefined
    }
  },

  settings: settingsOf,
  checkpoint: 'CHECKPOINT',
  vacuum: (shape) => [
    ...benchTables(shape).map((table) => `VACUUM ${table}`),
    ...(shape.children ? ['VACUUM children'] : []),
  ],

  async journal(connection) {
    const [row] = await connection.query(
      `SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text AS bytes`,
    )
    return Number(row?.bytes)
  },

  async bytes(connection) {
    const [row] =
      await connection.query(`SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::text AS bytes
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE ${OWN_NAMESPACES} AND c.relkind IN ('r', 'm')`)
    return Number(row?.bytes)
  },

  async silence(connection, schema, isUnchecked) {
    const arounds = await triggerSuspensionsOf(connection, schema, {
      mode: isUnchecked ? 'unchecked' : 'ordered',
      order: schema.tables.map(({ id }) => [id]),
      populated: schema.tables.map(({ id }) => id),
    })
    const reasons = new Map<TableId, string>()
    for (const [id, { before }] of arounds.of) {
      try {
        await connection.query(before.join(';\n'))
      } catch (error) {
        reasons.set(id, `its triggers cannot be switched off: ${messageOf(error)}`)
      }
    }
    return reasons
  },

  async locks(connection, _, statements, { sql }) {
    const [table] = await connection.query(`SELECT ${literal(sql)}::regclass::oid::text AS oid`)
    await connection.query('BEGIN')
    return withCleanUp(
      async () => {
        await connection.query(statements.join(';\n'))
        return lockModes(connection, String(table?.oid))
      },
      // Rolls back if a statement failed.
      async () => void (await connection.query('COMMIT')),
    )
  },
}

const fillReferring = `INSERT INTO referring (t1_id) SELECT NULL FROM generate_series(1, ${REFERRING_ROWS})`

function createTable(table: string, shape: Shape): string[] {
  const { partitions } = shape
  const references = shape.outgoing === 'none' ? '' : ' REFERENCES referred'
  const columns = [
    'id serial PRIMARY KEY',
    `parent int${references}`,
    ...INDEXED.map((name) => `${name} int`),
    'label text',
  ].join(', ')
  const create = `CREATE ${shape.logged ? '' : 'UNLOGGED '}TABLE ${table} (${columns})`
  return [
    ...(partitions === 0
      ? [`${create} ${QUIET}`]
      : [`${create} PARTITION BY HASH (id)`, ...partitionsOf(table, partitions)]),
    ...INDEXES.slice(0, shape.indexes).map((names) => `CREATE INDEX ON ${table} (${names.join(', ')})`),
    ...(shape.outgoing === 'indexed' ? [`CREATE INDEX ON ${table} (parent)`] : []),
    ...(shape.width === 'off-page' ? [`ALTER TABLE ${table} ALTER label SET STORAGE EXTERNAL`] : []),
    ...(shape.trigger ? triggerOn(table) : []),
  ]
}

function partitionsOf(table: string, count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) =>
      `CREATE TABLE ${table}_${index} PARTITION OF ${table} FOR VALUES WITH (MODULUS ${count}, REMAINDER ${index}) ${QUIET}`,
  )
}

function triggerOn(table: string): string[] {
  return [
    `CREATE OR REPLACE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    `CREATE TRIGGER nothing AFTER DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION nothing()`,
  ]
}

/** The old table owns the sequence, and DROP TABLE would drop it too. */
function swap(table: string): string[] {
  return [
    `CREATE TABLE empty_copy (LIKE ${table} INCLUDING ALL)`,
    `ALTER SEQUENCE ${table}_id_seq OWNED BY empty_copy.id`,
    `DROP TABLE ${table}`,
    `ALTER TABLE empty_copy RENAME TO ${table}`,
  ]
}

async function lockModes(connection: Connection, oid: string): Promise<string[]> {
  const rows = await connection.query(`SELECT DISTINCT l.mode FROM pg_catalog.pg_locks l
    WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.relation = ${oid} ORDER BY 1`)
  return rows.map(({ mode }) => String(mode))
}
