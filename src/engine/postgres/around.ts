import type { Plan } from '../../plan/plan.ts'
import type { Schema, TableId } from '../../schema/schema.ts'
import type { Connection, Row } from '../engine.ts'
import { ident, qualified } from './quote.ts'

/** What has to be said before and after a table's rows are touched, so that it neither vetoes nor reacts. */
export interface Around {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/**
 * Triggers and rules that would fire in spite of the session's replication role (or, with checks on, all of the
 * user's), the replica identity that a published table needs for a DELETE, and checks that were added NOT VALID:
 * baseline rows that they let stand could not come back.
 */
export async function aroundsOf(
  connection: Connection,
  schema: Schema,
  mode: Plan['mode'],
): Promise<Map<TableId, Around>> {
  const firing = mode === 'unchecked' ? "('A', 'R')" : "('O', 'A')"
  const tables = new Map(schema.tables.map((table) => [table.id, qualified(table)]))
  const arounds = new Map<TableId, { before: string[]; after: string[] }>()
  for (const row of await connection.query(statementsAround(firing))) {
    const id = String(row.id)
    const name = tables.get(id)
    if (name === undefined) continue
    const around = arounds.get(id) ?? { before: [], after: [] }
    arounds.set(id, around)
    around.before.push(`ALTER TABLE ${name} ${before(row)}`)
    around.after.push(`ALTER TABLE ${name} ${after(row)}`)
  }
  return arounds
}

function statementsAround(firing: string): string {
  return `
    SELECT t.tgrelid::text AS id, 'TRIGGER' AS kind, t.tgname AS name, t.tgenabled::text AS state
    FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled IN ${firing}
    UNION ALL
    SELECT r.ev_class::text, 'RULE', r.rulename, r.ev_enabled::text
    FROM pg_catalog.pg_rewrite r WHERE r.ev_type IN ('2', '3', '4') AND r.ev_enabled IN ${firing}
    UNION ALL
    SELECT c.oid::text, 'IDENTITY', '', c.relreplident::text
    FROM pg_catalog.pg_publication_tables p
    JOIN pg_catalog.pg_publication b ON b.pubname = p.pubname AND (b.pubdelete OR b.pubupdate)
    JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
    WHERE c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisprimary))
    GROUP BY c.oid, c.relreplident
    UNION ALL
    SELECT k.conrelid::text, 'CHECK', k.conname, pg_catalog.pg_get_constraintdef(k.oid)
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'c' AND k.conrelid <> 0 AND NOT k.convalidated AND k.coninhcount = 0`
}

function before({ kind, name }: Row): string {
  switch (kind) {
    case 'IDENTITY':
      return 'REPLICA IDENTITY FULL'
    case 'CHECK':
      return `DROP CONSTRAINT ${ident(String(name))}`
    default:
      return `DISABLE ${kind} ${ident(String(name))}`
  }
}

/** As it was before: a trigger that is to fire always must not come back as an ordinary one. */
function after({ kind, name, state }: Row): string {
  switch (kind) {
    case 'IDENTITY':
      return `REPLICA IDENTITY ${state === 'n' ? 'NOTHING' : 'DEFAULT'}`
    case 'CHECK':
      return `ADD CONSTRAINT ${ident(String(name))} ${state}`
    default: {
      const always = state === 'A' ? 'ALWAYS ' : state === 'R' ? 'REPLICA ' : ''
      return `ENABLE ${always}${kind} ${ident(String(name))}`
    }
  }
}
