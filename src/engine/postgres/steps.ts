import type { Plan, RestartStep, Step, TruncateInstead } from '../../plan/plan.ts'
import { select } from '../../plan/plan.ts'
import { byId, type Schema, type SubjectId, type TableId, tableOf } from '../../schema/schema.ts'
import type { Around } from './around.ts'
import { literal } from './quote.ts'
import { statementNear, statementsOf, truncate } from './statements.ts'

/** The statements of the steps. The one that puts rows right has the place 0, what prepares it comes before. */
export const STATEMENTS = 'pg_temp.afresh_statements'
/** Which steps run when which subject is dirty. */
export const DUE = 'pg_temp.afresh_due'
/** Where sequences go, all of them in one statement: the `restart` steps that need nothing but `setval`. */
export const POSITIONS = 'pg_temp.afresh_positions'

export const STEP_TABLES = [
  `CREATE TEMP TABLE afresh_statements (no int, place int, sql text, near text, truncate text, above_rows float8, above bigint,
    dead bigint, relation oid, parted boolean, fills boolean, moves boolean, prepared oid, PRIMARY KEY (no, place))`,
  `CREATE TEMP TABLE afresh_due (subject oid, no int, PRIMARY KEY (subject, no))`,
  `CREATE TEMP TABLE afresh_positions (subject oid PRIMARY KEY, no int, value bigint, called boolean)`,
]

/** The plan's steps as rows, so that one function call runs just those that are due. */
export function stepRows(
  schema: Schema,
  plan: Plan,
  {
    arounds,
    isInJournal,
  }: {
    readonly arounds: ReadonlyMap<TableId, Around>
    /** Whether the journal names every block of a subject that is written. */
    readonly isInJournal: (id: SubjectId) => boolean
  },
): string[] {
  return plan.steps.flatMap((step, no) => {
    const main = statementsOf(schema, plan, step)
    if (step.kind === 'restart' && main.length === 1) {
      return [
        `INSERT INTO ${POSITIONS} VALUES (${step.sequence}, ${no}, ${step.to.value}, ${step.to.called})`,
      ]
    }
    if (step.when.length === 0) return []
    const touched = touchedBy(step).flatMap((id) => arounds.get(id) ?? [])
    const before = touched.flatMap((around) => around.before)
    const after = touched.flatMap((around) => around.after)
    const near = step.when.every(isInJournal) ? statementNear(schema, plan, step) : undefined
    const others = {
      ...(near === undefined ? {} : { near: literal(near) }),
      ...(step.kind === 'delete' && step.orTruncate ? insteadOfDelete(schema, step.orTruncate) : {}),
    }
    return [
      ...[...before, ...main, ...after].map((sql, index) => {
        const place = index - before.length
        return insertStatement({
          no,
          place,
          sql: literal(sql),
          fills: step.kind === 'fill',
          moves: /^(TRUNCATE|ALTER|REFRESH)/.test(sql),
          ...(place === 0 ? others : {}),
        })
      }),
      `INSERT INTO ${DUE} VALUES ${step.when.map((subject) => `(${subject}, ${no})`).join(', ')}`,
    ]
  })
}

/** A row of `STATEMENTS`: its columns as SQL. */
function insertStatement(columns: Readonly<Record<string, string | number | boolean>>): string {
  return `INSERT INTO ${STATEMENTS} (${Object.keys(columns).join(', ')}) VALUES (${Object.values(columns).join(', ')})`
}

function insteadOfDelete(schema: Schema, { tables, threshold }: TruncateInstead) {
  const [own, ...others] = tables.map((id) => tableOf(schema, id))
  if (own === undefined) return {}
  return {
    truncate: literal(truncate([own, ...others])),
    above_rows: threshold.aboveRows,
    above: Math.min(threshold.aboveBytes, threshold.deadBytes),
    dead: threshold.deadBytes,
    relation: own.id,
    parted: own.traits.includes('partitioned'),
  }
}

function touchedBy(step: Step): readonly TableId[] {
  switch (step.kind) {
    case 'trim':
      return [step.table]
    case 'delete':
      return [...new Set([...step.tables, ...(step.orTruncate?.tables ?? [])])]
    case 'truncate':
    case 'fill':
      return step.tables
    default:
      return []
  }
}

/** Rows on a page, where nobody looks. */
const USUAL_ROWS = 100

/**
 * `afresh_size` is that of the rows of a partitioned table, which are in its partitions. `afresh_is_large` tells whether
 * TRUNCATE is the cheaper way: how many rows there are it takes from the page in the middle, since they may be of any length, and
 * pages may be dead; and from the last page, which is seldom full: where each row is dear, because referrers are probed, the
 * two ways cross at two or three pages. Some 20 us, and only where the size leaves it open.
 */
export const SIZE_FUNCTIONS = `CREATE FUNCTION pg_temp.afresh_size(relation oid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT sum(pg_catalog.pg_relation_size(p.relid))::bigint
  FROM pg_catalog.pg_partition_tree(relation) AS p WHERE p.isleaf $$;
  CREATE FUNCTION pg_temp.afresh_is_large(relation oid, size bigint, parted boolean, above_rows float8, dead bigint)
  RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE
    pages bigint := size / pg_catalog.current_setting('block_size')::int;
    alive bigint := ${USUAL_ROWS};
    last bigint := ${USUAL_ROWS};
  BEGIN
    IF NOT parted THEN
      EXECUTE pg_catalog.format('SELECT (SELECT count(*) FROM ONLY %1$s WHERE ctid >= ''(%2$s,0)'' AND ctid < ''(%3$s,0)''),
          (SELECT count(*) FROM ONLY %1$s WHERE ctid >= ''(%4$s,0)'')',
        relation::pg_catalog.regclass, (pages - 1) / 2, (pages + 1) / 2, pages - 1) INTO alive, last;
    END IF;
    RETURN (pages - 1) * alive + last > above_rows OR alive = 0 AND size > dead;
  END $$`

/**
 * PL/pgSQL that runs what is due for `touched`. `is_near`: the blocks are known in which populated tables changed. `ran`
 * gets step, place, whether it was by TRUNCATE, and rows of each statement.
 */
export function runSteps({ steps }: Plan): string {
  const once = steps.every(({ when }) => when.length <= 1)
  return `
    FOR step IN SELECT ${once ? '' : 'DISTINCT ON (s.no, s.place) '}s.*,
        CASE WHEN z.size > s.above THEN pg_temp.afresh_is_large(s.relation, z.size, s.parted, s.above_rows, s.dead) END AS cut,
        ${changesOf('s')} AS changes
      FROM ${DUE} AS d JOIN ${STATEMENTS} AS s ON s.no = d.no
      CROSS JOIN LATERAL (SELECT CASE WHEN s.parted THEN pg_temp.afresh_size(s.relation)
        ELSE pg_catalog.pg_relation_size(s.relation) END AS size) AS z
      WHERE d.subject = ANY (touched) ORDER BY s.no, s.place
    LOOP
      EXECUTE CASE WHEN step.cut THEN step.truncate WHEN is_near THEN coalesce(step.near, step.sql) ELSE step.sql END;
      GET DIAGNOSTICS count = ROW_COUNT;
      ran := ran || ',[' || step.no || ',' || step.place || ',' || coalesce(step.cut, false) || ','
        || coalesce(${changesOf('step')} - step.changes, count) || ']';
      moved := moved OR step.moves OR step.cut;
    END LOOP;`
}

/** An expression: puts the sequences among `touched` back, and tells which steps these were. */
export const RESTART = `(SELECT array_agg(p.no) FROM (SELECT p.no, pg_catalog.setval(p.subject, p.value, p.called)
      FROM ${POSITIONS} AS p WHERE p.subject = ANY (touched) OFFSET 0) AS p)`

/** How many rows of its table a step's like has put back or deleted, as far as the statistics have not been told. */
function changesOf(step: string): string {
  return `CASE WHEN ${step}.fills THEN pg_catalog.pg_stat_get_xact_tuples_inserted(${step}.prepared)
          ELSE pg_catalog.pg_stat_get_xact_tuples_deleted(${step}.prepared) END`
}

/**
 * Prepares what runs most often and plans it: the first reset of a table is as quick as the others. One by one, since a
 * prepared statement keeps the whole message that it came in.
 *
 * A rule or trigger that has to be taken off before would be part of the plan, so those steps stay as they are; and so do
 * partitioned tables, since EXECUTE does not tell how many rows it changed, and the statistics do so for a table alone.
 */
export const PREPARE_STEPS = `DO $$ DECLARE step record; BEGIN
  PERFORM pg_catalog.set_config('afresh.blocks', '[]', false);
  FOR step IN SELECT s.no, coalesce(s.near, s.sql) AS sql, s.near IS NOT NULL AS is_near, c.oid FROM ${STATEMENTS} AS s
      JOIN ${DUE} AS d ON d.no = s.no JOIN pg_catalog.pg_class AS c ON c.oid = d.subject AND c.relkind = 'r'
    WHERE (s.near IS NOT NULL OR s.sql LIKE 'DELETE FROM %')
      AND NOT EXISTS (SELECT FROM ${STATEMENTS} AS o WHERE o.no = s.no AND o.place <> 0)
  LOOP
    EXECUTE pg_catalog.format('PREPARE afresh_%s AS %s', step.no, step.sql);
    EXECUTE pg_catalog.format('EXPLAIN EXECUTE afresh_%s', step.no);
    UPDATE ${STATEMENTS} AS s SET prepared = step.oid, sql = CASE WHEN step.is_near THEN s.sql ELSE 'EXECUTE afresh_' || s.no END,
      near = CASE WHEN step.is_near THEN 'EXECUTE afresh_' || s.no END WHERE s.no = step.no;
  END LOOP;
END $$`

/**
 * Puts every sequence where the plan has it: `spread` moves them, and for the others a `setval` to their own
 * position makes the next `nextval` write WAL, which a sequence does only every 32nd time otherwise.
 */
export function startingPositions(schema: Schema, plan: Plan): string[] {
  return plan.steps.flatMap((step) =>
    step.kind === 'restart' && isAtBaseline(schema, step) ? statementsOf(schema, plan, step) : [],
  )
}

/** A sequence that the schema has elsewhere is dirty from the beginning: the first reset moves it. */
function isAtBaseline(schema: Schema, { sequence: id, to }: RestartStep): boolean {
  const position = byId(schema).sequences.get(id)?.position
  return position?.value === to.value && position.called === to.called
}

/** Which step a failing statement belongs to. */
export function stepWith(schema: Schema, plan: Plan, statement: string): Step | undefined {
  const [, prepared] = /^EXECUTE afresh_(\d+)$/.exec(statement) ?? []
  if (prepared !== undefined) return plan.steps[Number(prepared)]
  const everything = new Set(plan.steps.flatMap(({ when }) => when))
  return select(plan, everything).find(({ step }) => {
    const shortcut =
      step.kind === 'delete' && step.orTruncate
        ? [truncate(step.orTruncate.tables.map((id) => tableOf(schema, id)))]
        : []
    const near = statementNear(schema, plan, step)
    return [...statementsOf(schema, plan, step), ...shortcut, ...(near === undefined ? [] : [near])].some(
      (sql) => statement.includes(sql),
    )
  })?.step
}
