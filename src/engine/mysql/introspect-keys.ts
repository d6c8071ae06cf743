import type { ForeignKey, ReferentialAction, TableId } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import { ident } from './quote.ts'

/** The id omits the name of the current database, so that a template and its clones have the same schema. */
export function tableId(name: string, database?: string): TableId {
  return database === undefined ? ident(name) : `${ident(database)}.${ident(name)}`
}

/**
 * Foreign keys of this database, and those of other databases that refer to it. The client joins the two
 * views: MariaDB would read every table's definition again for each row of a join.
 */
export function foreignKeyQueries(): string[] {
  const both = (columns: string, view: string, own: string, referenced: string) =>
    `SELECT ${columns} FROM information_schema.${view} WHERE ${own} = DATABASE() AND ${referenced} IS NOT NULL
     UNION ALL
     SELECT ${columns} FROM information_schema.${view} WHERE ${own} <> DATABASE() AND ${referenced} = DATABASE()`
  return [
    `${both(
      `table_schema AS from_schema, table_name AS from_table, constraint_name AS name, column_name AS from_column,
       referenced_table_schema AS to_schema, referenced_table_name AS to_table,
       referenced_column_name AS to_column, ordinal_position AS ordinal`,
      'key_column_usage',
      'table_schema',
      'referenced_table_schema',
    )} ORDER BY from_schema, from_table, name, ordinal`,
    both(
      `constraint_schema AS from_schema, table_name AS from_table, constraint_name AS name,
       delete_rule AS on_delete, update_rule AS on_update`,
      'referential_constraints',
      'constraint_schema',
      'unique_constraint_schema',
    ),
  ]
}

export function foreignKeysFrom(
  references: readonly Row[],
  rules: readonly Row[],
  schema: string,
): ForeignKey[] {
  const idOf = (database: unknown, table: unknown) =>
    tableId(String(table), database === schema ? undefined : String(database))
  // Constraint names are unique per table only (MariaDB since 12.1), so the key includes the table.
  const keyOf = (row: Row) => JSON.stringify([row.from_schema, row.from_table, row.name])
  const ruleOf = new Map(rules.map((row) => [keyOf(row), row]))
  const columns = new Map<string, Row[]>()
  for (const row of references) columns.set(keyOf(row), [...(columns.get(keyOf(row)) ?? []), row])
  return [...columns].flatMap(([key, parts]) => {
    const [first] = parts
    if (first === undefined) return []
    const rule = ruleOf.get(key)
    return [
      {
        name: String(first.name),
        from: idOf(first.from_schema, first.from_table),
        columns: parts.map((part) => String(part.from_column)),
        to: idOf(first.to_schema, first.to_table),
        referencedColumns: parts.map((part) => String(part.to_column)),
        onDelete: action(rule?.on_delete),
        onUpdate: action(rule?.on_update),
        deferrable: false,
      },
    ]
  })
}

function action(rule: unknown): ReferentialAction {
  return String(rule ?? 'RESTRICT').toLowerCase() as ReferentialAction
}
