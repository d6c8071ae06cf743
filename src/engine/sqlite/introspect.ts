import type {
  Column,
  ForeignKey,
  ReferentialAction,
  Schema,
  Sequence,
  Table,
  TableId,
  TableTrait,
} from '../../schema/schema.ts'
import { defaultFrom } from '../column-default.ts'
import type { Row } from '../connection.ts'
import type { Database } from './driver.ts'
import { positionOf, positionsIn } from './sequences.ts'

/**
 * Reads the tables of `main`; attached databases and temporary tables are out of scope. Omits shadow tables,
 * which their virtual table writes, and virtual tables without any, which show rows that are stored elsewhere
 * (fts5vocab, dbstat, csv, …).
 */
export function introspect(db: Database): Schema {
  const columns = columnsByTable(db)
  const triggers = triggersByTable(db)
  const entries = tableEntries(db)
  const tables = entries.map((entry): Table => {
    const own = columns.get(entry.name) ?? []
    return {
      id: tableId(entry.name),
      schema: 'main',
      name: entry.name,
      label: entry.name,
      columns: own.filter(({ hidden }) => hidden !== HIDDEN).map(columnOf),
      primaryKey: own
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map(({ name }) => name),
      traits: traitsOf(entry),
      triggers: triggers.get(fold(entry.name)) ?? [],
      inherits: [],
      partitions: [],
    }
  })
  return {
    foldsTableNames: true,
    tables,
    foreignKeys: foreignKeysOf(db, tables),
    sequences: sequencesOf(db, tables, entries),
  }
}

/** SQLite compares names case-insensitively, but for ASCII letters only. */
export function fold(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function tableId(name: string): TableId {
  return `table:${name}`
}

interface TableEntry {
  readonly name: string
  readonly sql: string
  readonly virtual: boolean
  readonly withoutRowid: boolean
  readonly shadows: ReadonlySet<string>
}

function tableEntries(db: Database): TableEntry[] {
  const listed = db.all(`SELECT l.name, l.type, l.wr, s.sql
    FROM pragma_table_list AS l JOIN main.sqlite_master AS s ON s.type = 'table' AND s.name = l.name
    WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY l.name`)
  const shadows = listed.filter(({ type }) => type === 'shadow').map(({ name }) => String(name))
  return listed
    .filter(({ type }) => type !== 'shadow')
    .map((row) => {
      const name = String(row.name)
      return {
        name,
        sql: String(row.sql),
        virtual: row.type === 'virtual',
        withoutRowid: Number(row.wr) === 1,
        shadows: new Set(shadows.filter((shadow) => fold(shadow).startsWith(`${fold(name)}_`))),
      }
    })
    .filter(({ virtual, shadows: own }) => !virtual || own.size > 0)
}

function traitsOf({ name, sql, virtual, withoutRowid, shadows }: TableEntry): TableTrait[] {
  if (withoutRowid) return ['without-rowid']
  if (!virtual || !/\bUSING\s+["'`[]?fts[345]\b/i.test(sql)) return []
  if (/\bcontent\s*=\s*(''|""|``|\[\])?\s*[,)]/i.test(sql)) return ['unreadable']
  // A full-text table with rows of its own keeps them in its `_content` table (https://sqlite.org/fts5.html,
  // 4.4).
  return [...shadows].some((shadow) => fold(shadow) === `${fold(name)}_content`) ? [] : ['derived']
}

/** `hidden` of `PRAGMA table_xinfo`: 1 is a column of a virtual table, 2 and 3 are generated columns. */
const HIDDEN = 1

interface ColumnEntry {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  readonly pk: number
  readonly hidden: number
  readonly default: string | undefined
}

function columnsByTable(db: Database): Map<string, ColumnEntry[]> {
  const rows = db.all(`SELECT l.name AS "table", x.name, x.type, x."notnull", x.pk, x.hidden, x.dflt_value
    FROM pragma_table_list AS l JOIN pragma_table_xinfo(l.name, 'main') AS x
    WHERE l.schema = 'main' AND l.type IN ('table', 'virtual') ORDER BY l.name, x.cid`)
  return grouped(rows, (row) => ({
    name: String(row.name),
    type: String(row.type),
    notNull: Number(row.notnull) === 1,
    pk: Number(row.pk),
    hidden: Number(row.hidden),
    default: row.dflt_value === null ? undefined : String(row.dflt_value),
  }))
}

function columnOf({ name, type, notNull, hidden, default: value }: ColumnEntry): Column {
  return {
    name,
    type,
    nullable: !notNull,
    generated: hidden > HIDDEN,
    identity: undefined,
    ...defaultFrom(value),
  }
}

function triggersByTable(db: Database): Map<string, string[]> {
  const rows = db.all(
    `SELECT tbl_name AS "table", name FROM main.sqlite_master WHERE type = 'trigger' ORDER BY rowid`,
  )
  // `tbl_name` has the spelling of the trigger's definition.
  return grouped(rows, ({ name }) => String(name), fold)
}

function foreignKeysOf(db: Database, tables: readonly Table[]): ForeignKey[] {
  const byName = new Map(tables.map((table) => [fold(table.name), table]))
  const rows =
    db.all(`SELECT l.name || ' ' || f.id AS "table", l.name, f."table" AS parent, f."from", f."to", f.on_delete, f.on_update
    FROM pragma_table_list AS l JOIN pragma_foreign_key_list(l.name, 'main') AS f
    WHERE l.schema = 'main' AND l.type = 'table' ORDER BY l.name, f.id, f.seq`)
  return [...grouped(rows, (row) => row).values()].flatMap((parts): ForeignKey[] => {
    const [first] = parts
    const from = byName.get(fold(String(first?.name)))
    // SQLite allows a reference to a table that does not exist (yet).
    const to = byName.get(fold(String(first?.parent)))
    if (first === undefined || from === undefined || to === undefined) return []
    const columns = parts.map((part) => String(part.from))
    const named = parts.flatMap((part) => (part.to === null ? [] : [String(part.to)]))
    return [
      {
        // SQLite does not report the constraint's name.
        name: `${from.name}(${columns.join(', ')})`,
        from: from.id,
        columns,
        to: to.id,
        referencedColumns: named.length > 0 ? named : to.primaryKey,
        onDelete: actionOf(first.on_delete),
        onUpdate: actionOf(first.on_update),
        // `PRAGMA defer_foreign_keys` can defer every key.
        deferrable: true,
      },
    ]
  })
}

function actionOf(action: unknown): ReferentialAction {
  switch (action) {
    case 'CASCADE':
      return 'cascade'
    case 'SET NULL':
      return 'set null'
    case 'SET DEFAULT':
      return 'set default'
    case 'RESTRICT':
      return 'restrict'
    default:
      return 'no action'
  }
}

function sequencesOf(db: Database, tables: readonly Table[], entries: readonly TableEntry[]): Sequence[] {
  const counted = new Set(entries.filter(hasAutoincrement).map(({ name }) => name))
  const positions = positionsIn(db)
  return tables
    .filter(({ name }) => counted.has(name))
    .map(({ id, name, primaryKey }) => ({
      id: `sequence:${name}`,
      schema: 'main',
      name,
      label: name,
      kind: 'auto-increment',
      ownedBy: { table: id, column: primaryKey[0] ?? 'rowid' },
      start: 1n,
      increment: 1n,
      min: 1n,
      max: 2n ** 63n - 1n,
      cache: 1n,
      position: positionOf(positions, name),
    }))
}

/** No pragma reports it. AUTOINCREMENT is reserved, so it appears unquoted in no other position. */
function hasAutoincrement({ sql, virtual }: TableEntry): boolean {
  if (virtual) return false
  const bare = sql.replace(
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g,
    ' ',
  )
  return /\bAUTOINCREMENT\b/i.test(bare)
}

function grouped<T>(
  rows: readonly Row[],
  entry: (row: Row) => T,
  key = (name: string) => name,
): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const name = key(String(row.table))
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [entry(row)])
    else group.push(entry(row))
  }
  return groups
}
