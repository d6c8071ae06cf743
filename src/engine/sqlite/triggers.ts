import type { Table } from '../../schema/schema.ts'
import type { Database } from './driver.ts'
import { fold } from './introspect.ts'
import { quoted } from './statements.ts'

interface Trigger {
  readonly schema: 'main' | 'temp'
  readonly name: string
  /** `CREATE TRIGGER name …`, without the schema: SQLite keeps the text from the name on. */
  readonly sql: string
}

/**
 * Runs `body` while these tables have no triggers. SQLite cannot switch them off by SQL
 * (SQLITE_DBCONFIG_ENABLE_TRIGGER is out of the drivers' reach), but definitions are transactional: they are dropped
 * and made again in the reset's own transaction, so that another connection never sees them missing. The user's
 * temporary triggers on these tables fire too, and are treated alike.
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

/** In the order of their making, which is the order in which SQLite lets several of one kind fire. */
function triggersOn(db: Database, schema: 'main' | 'temp', names: ReadonlySet<string>): Trigger[] {
  return db
    .all(`SELECT name, tbl_name, sql FROM ${schema}.sqlite_master WHERE type = 'trigger' ORDER BY rowid`)
    .filter(({ tbl_name }) => names.has(fold(String(tbl_name))))
    .map(({ name, sql }) => ({ schema, name: String(name), sql: String(sql) }))
}
