import { AfreshError } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Schema, TableId } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import { readCatalog } from './catalog.ts'
import { ident, qualified } from './quote.ts'

/** Statements before and after a change of rows that keep the table's triggers from vetoing or reacting. */
export interface TriggerSuspension {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** Per table: for all of its triggers, and for its statement-level triggers only. */
export interface TriggerSuspensions {
  readonly of: ReadonlyMap<TableId, TriggerSuspension>
  /**
   * CASCADE or SET NULL of a foreign key runs a statement on the referencing table, and fires its
   * statement-level triggers even if that affects no row.
   */
  readonly ofStatements: ReadonlyMap<TableId, TriggerSuspension>
  /** Per table label: what only the table's owner may disable, which this role is not. */
  readonly denied: ReadonlyMap<string, string>
}

/**
 * Finds triggers and rules that would fire despite the session's replication role (or, with checks enabled,
 * all of the user's), the replica identity that a published table needs for a DELETE, and NOT VALID
 * constraints, which tolerate baseline rows that could not be inserted again. Resets insert no rows into
 * tables with an empty baseline.
 */
export async function triggerSuspensionsOf(
  connection: Connection,
  schema: Schema,
  plan: Pick<Plan, 'mode' | 'order' | 'populated'>,
): Promise<TriggerSuspensions> {
  const firing = plan.mode === 'unchecked' ? "('A', 'R')" : "('O', 'A')"
  const reset = new Set(plan.order.flat())
  const populated = new Set(plan.populated)
  const tables = new Map(schema.tables.map((table) => [table.id, table]))
  const of = new Map<TableId, Mutable>()
  const ofStatements = new Map<TableId, Mutable>()
  const denied = new Map<string, string>()
  for (const row of await readCatalog(connection, statementsAround(firing, plan.mode))) {
    const id = String(row.id)
    const table = tables.get(id)
    if (table === undefined || !reset.has(id)) continue
    if (row.deletes !== true && !populated.has(id)) continue
    if (row.owned !== true) denied.set(table.label, `${String(row.kind).toLowerCase()} ${String(row.name)}`)
    const target = row.kind === 'DOMAIN' ? `DOMAIN ${String(row.target)}` : `TABLE ${qualified(table)}`
    const add = (map: Map<TableId, Mutable>) => {
      const suspension = map.get(id) ?? { before: [], after: [] }
      map.set(id, suspension)
      suspension.before.push(`ALTER ${target} ${before(row)}`)
      suspension.after.push(`ALTER ${target} ${after(row)}`)
    }
    add(of)
    if (row.for_statement === true) add(ofStatements)
  }
  return { of, ofStatements, denied }
}

interface Mutable {
  readonly before: string[]
  readonly after: string[]
}

/** Throws `AfreshError` (`plan`) naming the tables for which that requires their owner. */
export function refuseDenied({ denied }: TriggerSuspensions): void {
  if (denied.size === 0) return
  const list = [...denied].map(([label, what]) => `"${label}" (${what})`).join(', ')
  throw new AfreshError(
    'plan',
    `A reset would fire what only the owner of the table may switch off: ${list}.`,
    {
      next:
        'Name these tables in `keep`, use a role that owns them, or grant the role the right to switch triggers off: ' +
        'GRANT SET ON PARAMETER session_replication_role.',
    },
  )
}

/**
 * `deletes`: required when rows are deleted, which happens in every table; otherwise only when rows are
 * inserted. `owned`: whether the role may disable it.
 */
function statementsAround(firing: string, mode: Plan['mode']): string {
  // Without checks, foreign keys are not inspected either.
  const constraints = mode === 'unchecked' ? "('c', 'n')" : "('c', 'n', 'f')"
  const owned = (oid: string) =>
    `(SELECT pg_catalog.pg_has_role(o.relowner, 'USAGE') FROM pg_catalog.pg_class AS o WHERE o.oid = ${oid}) AS owned`
  return `
    SELECT t.tgrelid::text AS id, 'TRIGGER' AS kind, t.tgname AS name, t.tgenabled::text AS state, NULL AS target,
      t.tgtype & 40 <> 0 AS deletes, t.tgtype & 1 = 0 AND t.tgtype & 24 <> 0 AS for_statement, ${owned('t.tgrelid')}
    FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled IN ${firing}
    UNION ALL
    SELECT r.ev_class::text, 'RULE', r.rulename, r.ev_enabled::text, NULL, r.ev_type = '4', false, ${owned('r.ev_class')}
    FROM pg_catalog.pg_rewrite r WHERE r.ev_type IN ('2', '3', '4') AND r.ev_enabled IN ${firing}
    UNION ALL
    SELECT c.oid::text, 'IDENTITY', '', c.relreplident::text, NULL, true, false, ${owned('c.oid')}
    FROM pg_catalog.pg_publication_tables p
    JOIN pg_catalog.pg_publication b ON b.pubname = p.pubname AND (b.pubdelete OR b.pubupdate)
    JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
    WHERE c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisprimary))
    GROUP BY c.oid, c.relreplident
    UNION ALL
    SELECT k.conrelid::text, 'CONSTRAINT', k.conname, pg_catalog.pg_get_constraintdef(k.oid), NULL, false, false, ${owned('k.conrelid')}
    FROM pg_catalog.pg_constraint k
    WHERE k.contype IN ${constraints} AND k.conrelid <> 0 AND NOT k.convalidated AND k.coninhcount = 0 AND k.conparentid = 0
      AND (k.contype <> 'f' OR coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true')
    UNION ALL
    SELECT a.attrelid::text, 'DOMAIN', k.conname, pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.format_type(y.oid, NULL), false, false,
      pg_catalog.pg_has_role(y.typowner, 'USAGE')
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_type y ON y.oid = k.contypid
    JOIN pg_catalog.pg_attribute a ON a.atttypid = y.oid AND NOT a.attisdropped WHERE NOT k.convalidated`
}

function before({ kind, name }: Row): string {
  switch (kind) {
    case 'IDENTITY':
      return 'REPLICA IDENTITY FULL'
    case 'CONSTRAINT':
    case 'DOMAIN':
      return `DROP CONSTRAINT ${ident(String(name))}`
    default:
      return `DISABLE ${kind} ${ident(String(name))}`
  }
}

/** Restores the previous state: a trigger that fires ALWAYS must not become an ordinary one. */
function after({ kind, name, state }: Row): string {
  switch (kind) {
    case 'IDENTITY':
      return `REPLICA IDENTITY ${state === 'n' ? 'NOTHING' : 'DEFAULT'}`
    case 'CONSTRAINT':
    case 'DOMAIN':
      return `ADD CONSTRAINT ${ident(String(name))} ${state}`
    default: {
      const always = state === 'A' ? 'ALWAYS ' : state === 'R' ? 'REPLICA ' : ''
      return `ENABLE ${always}${kind} ${ident(String(name))}`
    }
  }
}
