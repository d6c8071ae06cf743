import { AfreshError, codeOf } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { type Schema, tableOf } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import { readCatalog } from './catalog.ts'
import { ident, literal, only } from './quote.ts'
import { readWithLockTimeout } from './with-lock-timeout.ts'

/** Expressions whose value may change after a row is written. The user's functions may contain any. */
const OF_THE_MOMENT = String.raw`\m(now|age|timeofday|current_setting|(statement|transaction|clock)_timestamp)\(|\m(current_\w+|localtime|localtimestamp|session_user|user)\M`

const isOfTheMoment = (definition: string, oid: string) => `(${definition} ~* ${literal(OF_THE_MOMENT)}
  OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_proc AS p ON p.oid = d.refobjid AND p.provolatile <> 'i'
    WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = ${oid}
      AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass))`

/**
 * Check constraints of tables, and of the domains of columns. `test` selects no row if every row passes;
 * otherwise it selects one or raises an error.
 */
const CHECKS = `
  SELECT coalesce(pg_catalog.pg_partition_root(k.conrelid)::oid, k.conrelid)::text AS id, k.conname AS name,
    pg_catalog.format('NOT (%s)', pg_catalog.pg_get_expr(k.conbin, k.conrelid)) AS test
  FROM pg_catalog.pg_constraint AS k
  WHERE k.contype = 'c' AND k.conrelid <> 0 AND k.convalidated AND k.conparentid = 0
    AND ${isOfTheMoment('pg_catalog.pg_get_expr(k.conbin, k.conrelid)', 'k.oid')}
  UNION ALL
  SELECT coalesce(pg_catalog.pg_partition_root(a.attrelid)::oid, a.attrelid)::text, k.conname,
    pg_catalog.format('pg_catalog.num_nulls((%I::%s)::%s) > 1', a.attname,
      pg_catalog.format_type(y.typbasetype, y.typtypmod), pg_catalog.format_type(y.oid, NULL))
  FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_type AS y ON y.oid = k.contypid
  JOIN pg_catalog.pg_attribute AS a ON a.atttypid = y.oid AND NOT a.attisdropped
  WHERE k.contype = 'c' AND k.convalidated AND ${isOfTheMoment('pg_catalog.pg_get_constraintdef(k.oid)', 'k.oid')}
  ORDER BY 1, 2`

/**
 * Describes baseline rows that a constraint now rejects: a reset could not insert them again, although they
 * exist. A constraint that holds now may still fail later, which cannot be predicted.
 */
export async function refusedRows(connection: Connection, schema: Schema, plan: Plan): Promise<string[]> {
  const populated = new Set(plan.populated)
  const found: string[] = []
  for (const { id, name, test } of await readCatalog(connection, CHECKS)) {
    if (!populated.has(String(id))) continue
    const table = tableOf(schema, String(id))
    if (!(await passes(connection, `SELECT FROM ${only(table)} WHERE ${test} LIMIT 1`))) {
      found.push(`"${table.label}" has rows that its constraint ${ident(String(name))} refuses by now`)
    }
  }
  return found
}

/** A condition that this role may not evaluate counts as passed. */
async function passes(connection: Connection, query: string): Promise<boolean> {
  try {
    return (await readWithLockTimeout(connection, query)).length === 0
  } catch (error) {
    if (error instanceof AfreshError && error.code === 'blocked') throw error
    return codeOf(error) !== CHECK_VIOLATION
  }
}

const CHECK_VIOLATION = '23514'

/**
 * Throws `AfreshError` (`plan`) for such rows. Called if there is no template from which to recreate the
 * database.
 */
export async function refuseRefusedRows(connection: Connection, schema: Schema, plan: Plan): Promise<void> {
  const found = await refusedRows(connection, schema, plan)
  if (found.length === 0) return
  throw new AfreshError('plan', `No reset could put baseline rows back: ${found.join('; ')}.`, {
    next: `${WAY_OUT}; or name the table in \`keep\`.`,
  })
}

export const WAY_OUT =
  'Correct the rows in the fixtures, or declare the constraint NOT VALID, which resets handle'
