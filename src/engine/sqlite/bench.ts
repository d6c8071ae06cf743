import {
  type BenchDialect,
  benchTables,
  INDEXED,
  INDEXES,
  REFERRED_ROWS,
  REFERRING_ROWS,
  type Shape,
} from '../bench-dialect.ts'

/** The text of a row. Of 9 kB, all but the first part is on overflow pages. */
const TEXT: Readonly<Record<Shape['width'], string>> = {
  narrow: `'a label of a usual length'`,
  wide: `printf('%.*c', 1000, 'x')`,
  'off-page': `printf('%.*c', 9000, 'x')`,
}

export const bench: BenchDialect = {
  file: {
    urlOf: (path) => `sqlite:${path}`,
    async version(connection) {
      const [row] = await connection.query('SELECT sqlite_version() AS version')
      return String(row?.version)
    },
    // https://sqlite.org/pragma.html#pragma_synchronous
    settings(isDurable) {
      const level = isDurable ? 'FULL' : 'OFF'
      return { sql: `PRAGMA synchronous = ${level}`, description: `synchronous ${level}` }
    },
  },

  lacks({ logged, partitions }) {
    if (!logged) return 'there are no unlogged tables'
    return partitions > 0 ? 'there are no partitions' : undefined
  },

  create(shape) {
    return [
      'PRAGMA foreign_keys = ON',
      ...(shape.outgoing === 'none'
        ? []
        : [
            'CREATE TABLE referred (id INTEGER PRIMARY KEY)',
            `INSERT INTO referred SELECT n FROM ${numbers(1, REFERRED_ROWS)}`,
          ]),
      ...benchTables(shape).flatMap((table) => createTable(table, shape)),
      ...(shape.children
        ? [
            'CREATE TABLE children (id INTEGER PRIMARY KEY, t1_id int NOT NULL REFERENCES t1 ON DELETE CASCADE)',
            'CREATE INDEX children_t1 ON children (t1_id)',
          ]
        : []),
      ...(shape.incoming === 'none'
        ? []
        : [
            'CREATE TABLE referring (id INTEGER PRIMARY KEY, t1_id int REFERENCES t1)',
            ...(shape.incoming === 'indexed' ? ['CREATE INDEX referring_t1 ON referring (t1_id)'] : []),
            `INSERT INTO referring (t1_id) SELECT NULL FROM ${numbers(1, REFERRING_ROWS)}`,
          ]),
    ]
  },

  fill(shape, from, to) {
    const values = `nullif(n % ${REFERRED_ROWS}, 0), n / 10, n % 1000, n % 10007 * 7919 % 10007, -n, n, ${TEXT[shape.width]}`
    return [
      'BEGIN',
      ...benchTables(shape).map(
        (table) =>
          `INSERT INTO ${table} (parent, ${INDEXED.join(', ')}, label) SELECT ${values} FROM ${numbers(from, to)}`,
      ),
      ...(shape.children ? [`INSERT INTO children (t1_id) SELECT n FROM ${numbers(from, to)}`] : []),
      'COMMIT',
    ]
  },

  renew(shape) {
    const tables = [...(shape.children ? ['children'] : []), ...benchTables(shape)]
    // Rebuilds the file, since DELETE leaves its pages in it.
    return [...tables.map((table) => `DELETE FROM ${table}`), 'DELETE FROM sqlite_sequence', 'VACUUM']
  },

  empty(method, shape) {
    const tables = benchTables(shape)
    const isReferredTo = shape.incoming !== 'none' || shape.children
    switch (method) {
      case 'delete':
        return inTransaction(tables.map((table) => `DELETE FROM ${table}`))
      case 'delete-rows':
        return inTransaction(tables.map((table) => `DELETE FROM ${table} WHERE id > 0`))
      case 'delete-restart':
        return inTransaction([
          ...tables.map((table) => `DELETE FROM ${table}`),
          `DELETE FROM sqlite_sequence WHERE name IN (${tables.map((table) => `'${table}'`).join(', ')})`,
        ])
      case 'drop-create':
        if (isReferredTo) return undefined
        return inTransaction(tables.flatMap((table) => [`DROP TABLE ${table}`, ...createTable(table, shape)]))
      case 'swap':
        if (isReferredTo || shape.trigger) return undefined
        return inTransaction(
          tables.flatMap((table) => [
            ...createTable('empty_copy', shape),
            `DROP TABLE ${table}`,
            `ALTER TABLE empty_copy RENAME TO ${table}`,
            // Their names would conflict with the next copy.
            ...indexesOf(shape).flatMap(([name, columns]) => [
              `DROP INDEX empty_copy_${name}`,
              `CREATE INDEX ${table}_${name} ON ${table} (${columns})`,
            ]),
          ]),
        )
      case 'truncate':
      case 'truncate-restart':
      case 'truncate-cascade':
        return undefined
    }
  },

  journal: async () => undefined,

  async bytes(connection) {
    const [row] = await connection.query(
      'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size',
    )
    return Number(row?.bytes)
  },

  silence: async () => new Map(),
  locks: async () => [],
}

function numbers(from: number, to: number): string {
  return `(WITH RECURSIVE counted (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM counted WHERE n < ${to}) SELECT n FROM counted)`
}

function createTable(table: string, shape: Shape): string[] {
  const columns = [
    'id INTEGER PRIMARY KEY AUTOINCREMENT',
    `parent int${shape.outgoing === 'none' ? '' : ' REFERENCES referred'}`,
    ...INDEXED.map((name) => `${name} int`),
    'label text',
  ].join(', ')
  return [
    `CREATE TABLE ${table} (${columns})`,
    ...indexesOf(shape).map(([name, columns]) => `CREATE INDEX ${table}_${name} ON ${table} (${columns})`),
    ...(shape.outgoing === 'indexed' ? [`CREATE INDEX ${table}_parent ON ${table} (parent)`] : []),
    ...(shape.trigger
      ? [`CREATE TRIGGER nothing_${table} AFTER DELETE ON ${table} BEGIN SELECT OLD.id; END`]
      : []),
  ]
}

/** Name and columns of each index. */
function indexesOf(shape: Shape): [string, string][] {
  return INDEXES.slice(0, shape.indexes).map((columns) => [columns.join('_'), columns.join(', ')])
}

function inTransaction(statements: readonly string[]): string[] {
  return ['BEGIN', ...statements, 'COMMIT']
}
