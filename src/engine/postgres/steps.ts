import type { Plan, RestartStep, Step, TruncateInstead, TruncateStep } from '../../plan/plan.ts'
import { select, tablesOfStep } from '../../plan/plan.ts'
import { byId, type Schema, type SubjectId, type TableId, tableOf } from '../../schema/schema.ts'
import { literal } from './quote.ts'
import { statementNear, statementsOf, truncate } from './statements.ts'
import type { TriggerSuspensions } from './suspend-triggers.ts'
import { asUser, type UserFunctions } from './user-functions.ts'

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
    dead bigint, relation oid, parted boolean, inserts boolean, moves boolean, prepared oid, PRIMARY KEY (no, position))`,
  `CREATE TEMP TABLE afresh_due (subject oid, no int, follows boolean, PRIMARY KEY (subject, no))`,
  `CREATE TEMP TABLE afresh_references (parent oid, child oid, PRIMARY KEY (parent, child))`,
  `CREATE TEMP TABLE afresh_positions (subject oid PRIMARY KEY, no int, value bigint, called boolean)`,
]

/** The plan's steps as rows, so that one function call runs only those that are due. */
export function stepRows(
  schema: Schema,
  plan: Plan,
  {
    suspensions,
    functions,
    isInJournal,
  }: {
    readonly suspensions: TriggerSuspensions
    readonly functions: UserFunctions
    /** Whether the WAL names every block of a subject that is written. */
    readonly isInJournal: (id: SubjectId) => boolean
  },
): string[] {
  const references = plan.references.map(({ from, to }) => `(${to}, ${from})`)
  const rows = plan.steps.flatMap((step, no) => {
    const isOfUser =
      step.kind === 'refresh' ||
      (step.kind === 'insert-missing' && step.tables.some((id) => functions.tables.has(id)))
    const named = isOfUser ? asUser : (sql: string) => sql
    const main = statementsOf(schema, plan, step).map(named)
    if (step.kind === 'restart' && main.length === 1) {
      return [
        `INSERT INTO ${POSITIONS} VALUES (${step.sequence}, ${no}, ${step.to.value}, ${step.to.called})`,
      ]
    }
    if (step.when.length === 0) return []
    const touched = [
      ...touchedBy(step).flatMap((id) => suspensions.of.get(id) ?? []),
      ...referringTo(schema, plan, step).flatMap((id) => suspensions.ofStatements.get(id) ?? []),
    ]
    const before = touched.flatMap((suspension) => suspension.before)
    const after = touched.flatMap((suspension) => suspension.after)
    const near = step.when.every(isInJournal) ? statementNear(schema, plan, step) : undefined
    const others = {
      ...(near === undefined ? {} : { near: literal(named(near)) }),
      ...(step.kind === 'delete' && step.truncateAlternative
        ? insteadOfDelete(schema, step.truncateAlternative)
        : {}),
      ...(step.kind === 'truncate' ? { deletes: literal(deletesOf(schema, plan, step)) } : {}),
    }
    return [
      ...[...before, ...main, ...after].map((sql, index) => {
        const position = index - before.length
        return insertStatement({
          no,
          position,
          sql: literal(sql),
          inserts: step.kind === 'insert-missing',
          moves: step.kind === 'refresh' || /^(TRUNCATE|ALTER)/.test(sql),
          ...(position === 0 ? others : {}),
        })
      }),
      `INSERT INTO ${DUE} VALUES ${dueOf(step, no).join(', ')}`,
    ]
  })
  return references.length === 0
    ? rows
    : [`INSERT INTO ${REFERENCES} VALUES ${references.join(', ')}`, `ANALYZE ${REFERENCES}`, ...rows]
}

function dueOf({ when, follows }: Step, no: number): string[] {
  const following = new Set<SubjectId>(follows)
  return when.map((subject) => `(${subject}, ${no}, ${following.has(subject)})`)
}

/** A row of `STATEMENTS`, with its columns as SQL. */
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

/** Empties the tables if the server has no space for the new files of a TRUNCATE. */
function deletesOf(schema: Schema, plan: Plan, step: TruncateStep): string {
  return statementsOf(schema, plan, { ...step, kind: 'delete', truncateAlternative: undefined }).join('; ')
}

/** A transaction setting: the server has no disk space. */
export const NO_ROOM = `pg_catalog.set_config('afresh.full', 'on', true)`

/** With checks enabled: the tables on which a foreign key runs a statement when this step deletes rows. */
function referringTo({ foreignKeys }: Schema, { mode }: Plan, step: Step): TableId[] {
  if (step.kind !== 'delete' || mode !== 'ordered') return []
  const acts = foreignKeys.filter(({ onDelete }) => onDelete !== 'no action' && onDelete !== 'restrict')
  const touched = touchedBy(step)
  const from = acts.filter((key) => step.tables.includes(key.to)).map((key) => key.from)
  return [...new Set(from)].filter((id) => !touched.includes(id))
}

function touchedBy(step: Step): readonly TableId[] {
  const alternative = step.kind === 'delete' ? (step.truncateAlternative?.tables ?? []) : []
  return [...new Set([...tablesOfStep(step), ...alternative])]
}

/**
 * PL/pgSQL that runs what is due for `touched`. `is_near`: the changed blocks of populated tables are known.
 * Appends step, position, whether TRUNCATE was used, and rows of each statement to `ran`.
 */
export function runSteps({ steps }: Plan): string {
  const once = steps.every(({ when }) => when.length <= 1)
  const isFollowing = steps.some(({ follows }) => follows !== undefined)
  return `${isFollowing ? FIND_REFERRING : ''}
    FOR step IN SELECT ${once ? '' : 'DISTINCT ON (s.no, s.position) '}s.*,
        CASE WHEN z.size > s.above AND is_full IS NOT TRUE THEN pg_temp.afresh_is_large(s.relation, z.size, s.parted, s.above_rows, s.dead) END AS by_truncate,
        ${changesOf('s')} AS changes
      FROM ${DUE} AS d JOIN ${STATEMENTS} AS s ON s.no = d.no
      CROSS JOIN LATERAL (SELECT CASE WHEN s.parted THEN pg_temp.afresh_size(s.relation)
        ELSE pg_catalog.pg_relation_size(s.relation) END AS size) AS z
      WHERE d.subject = ANY (touched)${isFollowing ? ' OR d.follows AND d.subject = ANY (referring)' : ''} ORDER BY s.no, s.position
    LOOP
      EXECUTE CASE WHEN step.by_truncate THEN step.truncate WHEN is_full AND step.deletes IS NOT NULL THEN step.deletes WHEN is_near THEN coalesce(step.near, step.sql) ELSE step.sql END;
      GET DIAGNOSTICS count = ROW_COUNT;
      ran := ran || ',[' || step.no || ',' || step.position || ',' || coalesce(step.by_truncate, false) || ','
        || coalesce(${changesOf('step')} - step.changes, count) || ']';
      moved := moved OR step.moves OR step.by_truncate;
    END LOOP;`
}

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
    UPDATE ${STATEMENTS} AS s SET prepared = step.oid, sql = CASE WHEN step.is_near THEN s.sql ELSE 'EXECUTE afresh_' || s.no END,
      near = CASE WHEN step.is_near THEN 'EXECUTE afresh_' || s.no END WHERE s.no = step.no;
  END LOOP;
END $$`

/**
 * Sets every sequence to its position in the plan: `spread` moves them, and for the others a `setval` to the
 * current position makes the next `nextval` write WAL, which a sequence otherwise does only every 32nd time.
 */
export function startingPositions(schema: Schema, plan: Plan): string[] {
  return plan.steps.flatMap((step) =>
    step.kind === 'restart' && isAtBaseline(schema, step) ? statementsOf(schema, plan, step) : [],
  )
}

/** A sequence with another position in the schema is dirty from the start: the first reset moves it. */
function isAtBaseline(schema: Schema, { sequence: id, to }: RestartStep): boolean {
  const position = byId(schema).sequences.get(id)?.position
  return position?.value === to.value && position.called === to.called
}

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
    return [...statementsOf(schema, plan, step), ...shortcut, ...(near === undefined ? [] : [near])].some(
      (sql) => statement.includes(sql),
    )
  })?.step
}
