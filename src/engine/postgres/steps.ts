import type { Plan, Step } from '../../plan/plan.ts'
import { select } from '../../plan/plan.ts'
import { type Schema, tableOf } from '../../schema/schema.ts'
import { returnIfNeeded } from './deferred-rows.ts'
import { ARE_LEAVES_KNOWN, isOnLeaf, onLeaf } from './leaf-statements.ts'
import { LEAVES } from './leaves.ts'
import { statementNear, statementOnLeaf, statementsOf, truncate } from './statements.ts'
import { DUE, POSITIONS, REFERENCES, STATEMENTS } from './step-tables.ts'

/** A transaction setting: the server has no disk space. */
export const NO_ROOM = `pg_catalog.set_config('afresh.full', 'on', true)`

interface Circumstances {
  readonly isDeferred: boolean
  readonly isPartitioned: boolean
  /** Whether statements on partitions stay prepared. */
  readonly preparesLeaves: boolean
}

/**
 * PL/pgSQL that runs what is due for `touched`. `is_near`: the changed blocks of populated tables are known.
 * Appends step, position, whether TRUNCATE was used, and rows of each statement to `ran`.
 */
export function runSteps(
  { steps }: Plan,
  { isDeferred, isPartitioned, preparesLeaves }: Circumstances,
): string {
  const once = steps.every(({ when }) => when.length <= 1)
  const isFollowing = steps.some(({ follows }) => follows !== undefined)
  const isDue = (row: string) =>
    `${row}.subject = ANY (touched)${isFollowing ? ` OR ${row}.follows AND ${row}.subject = ANY (referring)` : ''}`
  return `${isFollowing ? FIND_REFERRING : ''}${isDeferred ? returnIfNeeded(DUE, isDue('u')) : ''}
    FOR step IN SELECT ${once ? '' : 'DISTINCT ON (s.no, s.position) '}s.*,
        CASE WHEN z.size > s.above AND is_full IS NOT TRUE THEN pg_temp.afresh_is_large(s.relation, z.size, s.parted, s.above_rows, s.dead) END AS by_truncate,
        ${changesOf('s.prepared', 's')} AS changes
      FROM ${DUE} AS d JOIN ${STATEMENTS} AS s ON s.no = d.no
      CROSS JOIN LATERAL (SELECT CASE ${isPartitioned ? `WHEN s.leaf IS NOT NULL AND ${ARE_LEAVES_KNOWN} THEN (${SIZE_OF_LEAVES}) ` : ''}WHEN s.parted THEN pg_temp.afresh_size(s.relation)
        ELSE pg_catalog.pg_relation_size(s.relation) END AS size) AS z
      WHERE ${isDue('d')} ORDER BY s.no, s.position
    LOOP
      ${isPartitioned ? runOnLeaves(preparesLeaves) : ''}EXECUTE CASE WHEN step.by_truncate THEN step.truncate WHEN is_full AND step.deletes IS NOT NULL THEN step.deletes WHEN is_near THEN coalesce(step.near, step.sql) ELSE step.sql END;
      GET DIAGNOSTICS count = ROW_COUNT;${isPartitioned ? '\n      END IF;' : ''}
      ran := pg_catalog.concat(ran, ',[', step.no, ',', step.position, ',', coalesce(step.by_truncate, false)::text, ',',
        coalesce(${changesOf('step.prepared')} - step.changes, count), ']');
      moved := moved OR step.moves OR step.by_truncate;
    END LOOP;`
}

const LEAF_VALUES = { oid: 'leaf.id', name: 'leaf.name' }

const SIZE_OF_LEAVES = `SELECT sum(pg_catalog.pg_relation_size(l.relation))::bigint FROM ${LEAVES} AS l
          WHERE l.relation = ANY (leaves) AND l.subject = s.leaf_of`

/**
 * PL/pgSQL: runs the step on each partition that has to be restored, and leaves `ELSE` to the step itself. A
 * statement is prepared when it first runs.
 */
function runOnLeaves(mayPrepare: boolean): string {
  const once = `EXECUTE ${onLeaf('CASE WHEN step.by_truncate THEN step.leaf_truncate ELSE step.leaf END', LEAF_VALUES)};
            GET DIAGNOSTICS count_of_leaf = ROW_COUNT;`
  const prepared = `IF step.by_truncate IS NOT TRUE AND leaf.prepared IS NOT TRUE
            AND pg_temp.afresh_prepare(pg_catalog.concat('afresh_', step.no, '_', leaf.id), ${onLeaf('step.leaf', LEAF_VALUES)}) THEN
            UPDATE ${LEAVES} AS l SET prepared = pg_catalog.array_append(l.prepared, step.no) WHERE l.relation = leaf.oid;
            leaf.prepared := true;
          END IF;
          IF step.by_truncate IS NOT TRUE AND leaf.prepared THEN
            count_of_leaf := ${changesOf('leaf.oid')};
            EXECUTE pg_catalog.concat('EXECUTE afresh_', step.no, '_', leaf.id);
            count_of_leaf := ${changesOf('leaf.oid')} - count_of_leaf;
          ELSE
            ${once}
          END IF;`
  return `IF step.leaf IS NOT NULL AND ${ARE_LEAVES_KNOWN} AND (step.near IS NULL OR is_near) AND is_full IS NOT TRUE
          AND (step.by_truncate IS NOT TRUE OR step.leaf_truncate IS NOT NULL) THEN
        count := 0;
        FOR leaf IN SELECT l.relation AS oid, l.relation::text AS id, l.relation::pg_catalog.regclass::text AS name, step.no = ANY (l.prepared) AS prepared
          FROM ${LEAVES} AS l WHERE l.relation = ANY (leaves) AND l.subject = step.leaf_of
        LOOP
          ${mayPrepare ? prepared : once}
          count := count + count_of_leaf;
        END LOOP;
      ELSE
      `
}

/** PL/pgSQL: everything that references what is dirty, directly or over other tables. */
const FIND_REFERRING = `
    referring := ARRAY(WITH RECURSIVE r(id) AS (SELECT f.child FROM ${REFERENCES} AS f WHERE f.parent = ANY (touched)
      UNION SELECT f.child FROM r JOIN ${REFERENCES} AS f ON f.parent = r.id) SELECT r.id FROM r);`

/** An expression that sets the positions of the sequences in `touched`, and returns their steps. */
export const RESTART = `(SELECT array_agg(p.no) FROM (SELECT p.no, pg_catalog.setval(p.subject, p.value, p.called)
      FROM ${POSITIONS} AS p WHERE p.subject = ANY (touched) OFFSET 0) AS p)`

/**
 * How many rows of a table this transaction has inserted or deleted for a step, from statistics not yet
 * reported.
 */
function changesOf(table: string, step = 'step'): string {
  return `CASE WHEN ${step}.inserts THEN pg_catalog.pg_stat_get_xact_tuples_inserted(${table})
          ELSE pg_catalog.pg_stat_get_xact_tuples_deleted(${table}) END`
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
  const [, prepared] = /^(?:EXECUTE|PREPARE) afresh_(\d+)(?:_\d+)?\b/.exec(statement) ?? []
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
