import type { Plan } from '../../plan/plan.ts'
import { type Schema, type SubjectId, tableOf } from '../../schema/schema.ts'
import { IS_SIZED } from './partition-files.ts'

/**
 * The partitions (`relation`) of the partitioned tables (`subject`) of the plan, and which steps have a
 * prepared statement for one. Where the role may not use all partitions of a table, the table stands for them.
 */
export const LEAVES = 'pg_temp.afresh_leaves'

export const CREATE_LEAVES =
  'CREATE TEMP TABLE afresh_leaves (relation oid PRIMARY KEY, subject oid, sized boolean, prepared int[])'

export function isPartitioned(schema: Schema, plan: Plan): boolean {
  return partitionedTables(schema, plan).length > 0
}

/**
 * To prepare a statement costs about what it saves once: it pays where tests write to the same partitions
 * again, as they do where there are few.
 */
const FEW_PARTITIONS = 100

/** Whether statements on partitions are prepared. Their rows are counted by statistics, which a superuser keeps on. */
export function preparesLeaves(schema: Schema, plan: Plan, isSuperuser: boolean): boolean {
  const partitions = partitionedTables(schema, plan).flatMap((id) => tableOf(schema, id).partitions)
  return isSuperuser && partitions.length <= FEW_PARTITIONS
}

/** Those with an empty baseline. */
export function emptyPartitioned(schema: Schema, plan: Plan): SubjectId[] {
  const populated = new Set(plan.populated)
  return partitionedTables(schema, plan).filter((id) => !populated.has(id))
}

function partitionedTables(schema: Schema, plan: Plan): SubjectId[] {
  return plan.order.flat().filter((id) => tableOf(schema, id).traits.includes('partitioned'))
}

/**
 * What a statement on the partition alone needs, or would run, and one on its table would not: privileges,
 * policies, triggers and rules.
 */
const IS_LIKE_ITS_TABLE = `pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
          AND pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
          AND NOT c.relrowsecurity AND NOT c.relhasrules
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgparentid = 0)`

/**
 * `sized`: the file of a heap without a block has no row, committed or not.
 *
 * @param isSuperuser whether the session may use every partition, and runs no triggers
 */
export function fillLeaves(schema: Schema, plan: Plan, isSuperuser: boolean): string[] {
  return [
    `INSERT INTO ${LEAVES} (relation, subject, sized)
    SELECT coalesce(l.id, t.id), t.id, coalesce(l.sized, false)
    FROM unnest(ARRAY[${partitionedTables(schema, plan).join(', ')}]::oid[]) AS t(id)
    LEFT JOIN LATERAL (SELECT p.id, p.sized FROM (SELECT c.oid AS id, ${IS_SIZED} AS sized,
        bool_and(${isSuperuser ? 'true' : IS_LIKE_ITS_TABLE}) OVER () AS usable
      FROM pg_catalog.pg_partition_tree(t.id) AS q JOIN pg_catalog.pg_class AS c ON c.oid = q.relid
      LEFT JOIN pg_catalog.pg_am AS a ON a.oid = c.relam WHERE q.isleaf OFFSET 0) AS p WHERE p.usable) AS l ON true`,
    `ANALYZE ${LEAVES}`,
  ]
}

/** The steps are numbered from 0. */
const PROBE = -1

/**
 * PL/pgSQL that appends partitions with rows to `leaves`, of tables whose baseline is empty, and their tables
 * to `filled`.
 *
 * @param mayPrepare whether the session may keep prepared statements
 */
export function findFilledLeaves(tables: readonly SubjectId[], mayPrepare: boolean): string {
  const query = `pg_catalog.concat('SELECT EXISTS (SELECT FROM ', leaf.name, ')')`
  const plan = `pg_catalog.concat('afresh_probe_', leaf.relation::text)`
  const execute = mayPrepare
    ? `IF leaf.prepared IS NOT TRUE AND pg_temp.afresh_prepare(${plan}, ${query}) THEN
        UPDATE ${LEAVES} AS l SET prepared = pg_catalog.array_append(l.prepared, ${PROBE}) WHERE l.relation = leaf.relation;
        leaf.prepared := true;
      END IF;
      EXECUTE CASE WHEN leaf.prepared THEN pg_catalog.concat('EXECUTE ', ${plan}) ELSE ${query} END INTO is_filled;`
    : `EXECUTE ${query} INTO is_filled;`
  return `FOR leaf IN SELECT l.relation, l.subject, ${PROBE} = ANY (l.prepared) AS prepared, l.relation::pg_catalog.regclass::text AS name
      FROM ${LEAVES} AS l WHERE l.subject = ANY (ARRAY[${tables.join(', ')}]::oid[])
        AND (NOT l.sized OR pg_catalog.pg_relation_size(l.relation) IS DISTINCT FROM 0)
    LOOP
      ${execute}
      IF is_filled THEN
        leaves := leaves || leaf.relation;
        IF leaf.subject <> ALL (filled) THEN
          filled := filled || leaf.subject;
        END IF;
      END IF;
    END LOOP;`
}
