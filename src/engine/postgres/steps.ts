import type { Plan, Step } from '../../plan/plan.ts'
import { select } from '../../plan/plan.ts'
import { type Schema, tableOf } from '../../schema/schema.ts'
import { returnIfNeeded } from './deferred-rows.ts'
import { ARE_LEAVES_KNOWN, isOnLeaf, onLeaf } from './leaf-statements.ts'
import { statementNear, statementOnLeaf, statementsOf, truncate } from './statements.ts'
import { FILES } from './wal.ts'

/**
 * The statements of the steps. Position 0 restores rows; negative positions run before it, positive ones
 * after it.
 */
export const STATEMENTS = 'pg_temp.afresh_statements'
/** Which steps run if which subject is dirty. */
export const DUE = 'pg_temp.afresh_due'
/** Which table references which, for steps that also run if a referenced table is dirty. */
export const REFERENCES = 'pg_temp.afresh_references'
/** The positions of sequences, set by one statement: the `restart` steps that need only `setval`. */
export const POSITIONS = 'pg_temp.afresh_positions'

export const STEP_TABLES = [
  `CREATE TEMP TABLE afresh_statements (no int, position int, sql text, near text, truncate text, deletes text, above_rows float8, above bigint,
    dead bigint, relation oid, parted boolean, leaf text, leaf_truncate text, leaf_of oid, inserts boolean, moves boolean, prepared oid, PRIMARY KEY (no, position))`,
  `CREATE TEMP TABLE afresh_due (subject oid, no int, follows boolean, PRIMARY KEY (subject, no))`,
  `CREATE TEMP TABLE afresh_references (parent oid, child oid, PRIMARY KEY (parent, child))`,
  `CREATE TEMP TABLE afresh_positions (subject oid PRIMARY KEY, no int, value bigint, called boolean)`,
]

/** A transaction setting: the server has no disk space. */
export const NO_ROOM = `pg_catalog.set_config('afresh.full', 'on', true)`

/**
 * PL/pgSQL that runs what is due for `touched`. `is_near`: the changed blocks of populated tables are known.
 * Appends step, position, whether TRUNCATE was used, and rows of each statement to `ran`.
 */
export function runSteps(
  { steps }: Plan,
  { isDeferred, isPartitioned }: { readonly isDeferred: boolean; readonly isPartitioned: boolean },
): string {
  const once = steps.every(({ when }) => when.length <= 1)
  const isFollowing = steps.some(({ follows }) => follows !== undefined)
  const isDue = (row: string) =>
    `${row}.subject = ANY (touched)${isFollowing ? ` OR ${row}.follows AND ${row}.subject = ANY (referring)` : ''}`
  return `${isFollowing ? FIND_REFERRING : ''}${isDeferred ? returnIfNeeded(DUE, isDue('u')) : ''}
    FOR step IN SELECT ${once ? '' : 'DISTINCT ON (s.no, s.position) '}s.*,
        CASE WHEN z.size > s.above AND is_full IS NOT TRUE THEN pg_temp.afresh_is_large(s.relation, z.size, s.parted, s.above_rows, s.dead) END AS by_truncate,
        ${changesOf('s')} AS changes
      FROM ${DUE} AS d JOIN ${STATEMENTS} AS s ON s.no = d.no
      CROSS JOIN LATERAL (SELECT CASE ${isPartitioned ? `WHEN s.leaf IS NOT NULL AND ${ARE_LEAVES_KNOWN} THEN (${SIZE_OF_LEAVES}) ` : ''}WHEN s.parted THEN pg_temp.afresh_size(s.relation)
        ELSE pg_catalog.pg_relation_size(s.relation) END AS size) AS z
      WHERE ${isDue('d')} ORDER BY s.no, s.position
    LOOP
      ${isPartitioned ? RUN_ON_LEAVES : ''}EXECUTE CASE WHEN step.by_truncate THEN step.truncate WHEN is_full AND step.deletes IS NOT NULL THEN step.deletes WHEN is_near THEN coalesce(step.near, step.sql) ELSE step.sql END;
      GET DIAGNOSTICS count = ROW_COUNT;${isPartitioned ? '\n      END IF;' : ''}
      ran := pg_catalog.concat(ran, ',[', step.no, ',', step.position, ',', coalesce(step.by_truncate, false)::text, ',',
        coalesce(${changesOf('step')} - step.changes, count), ']');
      moved := moved OR step.moves OR step.by_truncate;
    END LOOP;`
}

const SIZE_OF_LEAVES = `SELECT sum(pg_catalog.pg_relation_size(f.relation))::bigint FROM ${FILES} AS f
          WHERE f.subject = s.leaf_of AND f.relation = ANY (leaves)`

/** PL/pgSQL: runs the step on each partition that was written, and leaves `ELSE` to the step itself. */
const RUN_ON_LEAVES = `IF step.leaf IS NOT NULL AND ${ARE_LEAVES_KNOWN} AND (step.near IS NULL OR is_near) AND is_full IS NOT TRUE
          AND (step.by_truncate IS NOT TRUE OR step.leaf_truncate IS NOT NULL) THEN
        count := 0;
        FOR leaf IN SELECT f.relation::text AS id, f.relation::pg_catalog.regclass::text AS name FROM ${FILES} AS f
          WHERE f.subject = step.leaf_of AND f.relation = ANY (leaves)
        LOOP
          EXECUTE ${onLeaf('CASE WHEN step.by_truncate THEN step.leaf_truncate ELSE step.leaf END', { oid: 'leaf.id', name: 'leaf.name' })};
          GET DIAGNOSTICS count_of_leaf = ROW_COUNT;
          count := count + count_of_leaf;
        END LOOP;
      ELSE
      `

/** PL/pgSQL: everything that references what is dirty, directly or over other tables. */
const FIND_REFERRING = `
    referring := ARRAY(WITH RECURSIVE r(id) AS (SELECT f.child FROM ${REFERENCES} AS f WHERE f.parent = ANY (touched)
      UNION SELECT f.child FROM r JOIN ${REFERENCES} AS f ON f.parent = r.id) SELECT r.id FROM r);`

/** An expression that sets the positions of the sequences in `touched`, and returns their steps. */
export const RESTART = `(SELECT array_agg(p.no) FROM (SELECT p.no, pg_catalog.setval(p.subject, p.value, p.called)
      FROM ${POSITIONS} AS p WHERE p.subject = ANY (touched) OFFSET 0) AS p)`

/**
 * How many rows of the step's table this transaction has inserted or deleted, from statistics not yet
 * reported.
 */
function changesOf(step: string): string {
  return `CASE WHEN ${step}.inserts THEN pg_catalog.pg_stat_get_xact_tuples_inserted(${step}.prepared)
          ELSE pg_catalog.pg_stat_get_xact_tuples_deleted(${step}.prepared) END`
}

/**
 * Prepares and plans the most frequent statements, so that the first reset of a table is as fast as later
 * ones. Prepares one by one, since a prepared statement keeps the whole message that it came in.
 *
 * Skips steps that have to disable a rule or trigger, which would be part of the plan. Also skips partitioned
 * tables, since EXECUTE does not report how many rows it changed, and the statistics do so per table only.
 */
export const PREPARE_STEPS = `DO $$ DECLARE step record; BEGIN
  PERFORM pg_catalog.set_config('afresh.blocks', '[]', false);
  FOR step IN SELECT s.no, coalesce(s.near, s.sql) AS sql, s.near IS NOT NULL AS is_near, c.oid FROM ${STATEMENTS} AS s
      JOIN ${DUE} AS d ON d.no = s.no JOIN pg_catalog.pg_class AS c ON c.oid = d.subject AND c.relkind = 'r'
    WHERE (s.near IS NOT NULL OR s.sql LIKE 'DELETE FROM %')
      AND NOT EXISTS (SELECT FROM ${STATEMENTS} AS o WHERE o.no = s.no AND o.position <> 0)
  LOOP
    EXECUTE pg_catalog.format('PREPARE afresh_%s AS %s', step.no, step.sql);
    EXECUTE pg_catalog.format('EXPLAIN EXECUTE afresh_%s', step.no);
    UPDATE ${STATEMENTS} AS s SET prepared = step.oid, sql = CASE WHEN step.is_near THEN s.sql ELSE pg_catalog.concat('EXECUTE afresh_', s.no) END,
      near = CASE WHEN step.is_near THEN pg_catalog.concat('EXECUTE afresh_', s.no) END WHERE s.no = step.no;
  END LOOP;
END $$`

/** Finds the step of a failed statement. */
export function stepWith(schema: Schema, plan: Plan, statement: string): Step | undefined {
  const [, prepared] = /^EXECUTE afresh_(\d+)$/.exec(statement) ?? []
  if (prepared !== undefined) return plan.steps[Number(prepared)]
  const everything = new Set(plan.steps.flatMap(({ when }) => when))
  return select(plan, everything).find(({ step }) => {
    const shortcut =
      step.kind === 'delete' && step.truncateAlternative
        ? [truncate(step.truncateAlternative.tables.map((id) => tableOf(schema, id)))]
        : []
    const near = statementNear(schema, plan, step)
    const onPartition = statementOnLeaf(schema, plan, step)
    if (onPartition !== undefined && isOnLeaf(onPartition, statement)) return true
    return [...statementsOf(schema, plan, step), ...shortcut, ...(near === undefined ? [] : [near])].some(
      (sql) => statement.includes(sql),
    )
  })?.step
}
