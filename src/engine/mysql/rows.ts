import type { TableId } from '../../schema/schema.ts'
import type { ColumnFacts, RowDialect } from '../row-dialect.ts'
import { tableId } from './introspect-keys.ts'
import { ident, literal } from './quote.ts'

export const rows: RowDialect = {
  ident,
  literal,
  qualified: ({ name }) => ident(name),
  asText: (expression) => `CAST(${expression} AS CHAR)`,
  draw: ({ name }) => `SELECT NEXTVAL(${ident(name)})`,
  asColumn: (expression) => expression, // assignment converts to the type of the column
  uncheck: 'SET foreign_key_checks = 0',

  async uniques(connection, schema) {
    const found = new Map<TableId, Map<string, string[]>>(schema.tables.map(({ id }) => [id, new Map()]))
    for (const row of await connection.query(UNIQUES)) {
      const indexes = found.get(tableId(String(row.of)))
      indexes?.set(String(row.index), [...(indexes.get(String(row.index)) ?? []), String(row.name)])
    }
    return new Map([...found].map(([id, indexes]) => [id, [...indexes.values()]]))
  },

  async facts(connection, schema) {
    const found = new Map<TableId, ColumnFacts[]>(schema.tables.map(({ id }) => [id, []]))
    const conditions = (await connection.query(CHECKS)).map(({ condition }) => unescaped(String(condition)))
    const bounds = await connection.query(BOUNDS)
    for (const row of await connection.query(COLUMNS)) {
      const [name, type, extra] = [String(row.name), String(row.type), String(row.extra).toLowerCase()]
      found.get(tableId(String(row.of)))?.push({
        name,
        type: type.toLowerCase().startsWith('enum') ? 'enum' : type.toLowerCase(),
        labels: type.toLowerCase().startsWith('enum') ? labelsIn(type) : [],
        hasDefault: row.preset !== null || extra.includes('default_generated'),
        automatic: /auto_increment|(virtual|stored) generated/.test(extra),
        conditions: [
          // Neither server reports which columns a check refers to.
          ...conditions.filter((condition) => condition.includes(ident(name))),
          ...bounds.flatMap(({ of, bound }) => (of === row.of ? [String(bound)] : [])),
        ],
      })
    }
    return found
  },
}

/** MySQL escapes the quotes: `_utf8mb4\'card\'`. */
function unescaped(condition: string): string {
  return condition.replaceAll("\\'", "'")
}

function labelsIn(type: string): string[] {
  return [...type.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"))
}

const COLUMNS = `SELECT table_name AS \`of\`, column_name AS name, column_type AS type, column_default AS preset, extra AS extra
  FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`

/** Index parts that are expressions have no column. */
const UNIQUES = `SELECT table_name AS \`of\`, index_name AS \`index\`, column_name AS name FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND non_unique = 0 AND column_name IS NOT NULL ORDER BY table_name, index_name, seq_in_index`

const CHECKS = `SELECT check_clause AS \`condition\` FROM information_schema.check_constraints
  WHERE constraint_schema = DATABASE()`

const BOUNDS = `SELECT table_name AS \`of\`, partition_description AS bound FROM information_schema.partitions
  WHERE table_schema = DATABASE() AND partition_description IS NOT NULL`
