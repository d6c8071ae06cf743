import type { Table } from '../../schema/schema.ts'
import type { Database } from './driver.ts'
import { fold } from './introspect.ts'
import { quoted } from './statements.ts'

interface Trigger {
  readonly schema: 'main' | 'temp'
  readonly name: string
  /** `CREATE TRIGGER name …`, without the schema: SQLite stores the text from the name on. */
  readonly sql: string
}

/**
 * Runs `body` while these tables have no triggers. SQLite cannot disable triggers by SQL (drivers do not
 * expose SQLITE_DBCONFIG_ENABLE_TRIGGER), but definitions are transactional: triggers are dropped and created
 * again in the reset's own transaction, so that no other connection sees them missing. The user's temporary
 * triggers on these tables fire too, and are treated alike.
 */
export function withoutTriggers(db: Database, tables: readonly Table[], body: () => void): void {
  const names = new Set(tables.map(({ name }) => fold(name)))
  const hasOwn = tables.some(({ triggers }) => triggers.length > 0)
  const triggers = [...(hasOwn ? triggersOn(db, 'main', names) : []), ...triggersOn(db, 'temp', names)]
  for (const { schema, name } of triggers) db.exec(`DROP TRIGGER ${schema}.${quoted(name)}`)
  body()
  for (const { schema, sql } of triggers) {
    db.exec(sql.replace(/^CREATE TRIGGER /, `CREATE TRIGGER ${schema}.`))
  }
}

/** In creation order, in which SQLite fires several triggers of one kind. */
function triggersOn(db: Database, schema: 'main' | 'temp', names: ReadonlySet<string>): Trigger[] {
  return db
    .all(`SELECT name, tbl_name, sql FROM ${schema}.sqlite_master WHERE type = 'trigger' ORDER BY rowid`)
    .filter(({ tbl_name }) => names.has(fold(String(tbl_name))))
    .map(({ name, sql }) => ({ schema, name: String(name), sql: String(sql) }))
}
