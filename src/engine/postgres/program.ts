import type { Plan, RestartStep, Step } from '../../plan/plan.ts'
import { select } from '../../plan/plan.ts'
import { type Schema, type SubjectId, type Table, type TableId, tableOf } from '../../schema/schema.ts'
import type { Program } from '../engine.ts'
import type { Around } from './around.ts'
import { probesOf, scanQuery, WAIT_FOR_WRITERS } from './detect.ts'
import { MARK_EXPRESSION } from './ownership.ts'
import { literal } from './quote.ts'
import { captureRows, dollar, ROWS, STATE, statementsOf, truncate, versions } from './statements.ts'
import { closeWindow, DROP_JOURNAL_TABLES, journalTables, readJournal } from './wal.ts'

/** What `afresh_reset` raises when the mark is not there. */
export const REFUSED = 'AFR01'

const STEPS = 'pg_temp.afresh_steps'
/** Which steps run when which subject is dirty. */
const DUE = 'pg_temp.afresh_due'
/** The large objects of the baseline. */
const OBJECTS = 'pg_temp.afresh_objects'

/**
 * The program of a session: everything in `pg_temp`, which ends with the session and leaves no trace in the
 * user's database. The plan's steps are rows of a table, so that one function call runs just those that are due.
 */
export function programSql(
  program: Program,
  arounds: ReadonlyMap<TableId, Around>,
  detector: 'wal' | 'scan',
): string {
  const { schema, plan } = program
  const probes = probesOf(schema, plan)
  return [
    DROP,
    `CREATE TEMP TABLE afresh_rows (t bigint, n bigint, row text COLLATE "C")`,
    `CREATE TEMP TABLE afresh_state (t bigint PRIMARY KEY, rows bigint, hash bigint)`,
    `CREATE TEMP TABLE afresh_steps (no int PRIMARY KEY, sql text[], counted int, relations oid[], above bigint, truncate text, moves boolean)`,
    `CREATE TEMP TABLE afresh_due (subject bigint, no int)`,
    `CREATE TEMP TABLE afresh_objects AS SELECT oid FROM pg_catalog.pg_largeobject_metadata`,
    ...plan.populated.flatMap((id) => [
      ...captured(tableOf(schema, id)),
      `INSERT INTO ${STATE} (t, rows, hash) SELECT ${id}, v.rows, v.hash FROM (${versions(tableOf(schema, id))}) AS v`,
    ]),
    ...plan.steps.map((step, no) => stepRow(schema, plan, step, no, arounds)),
    `INSERT INTO ${DUE} SELECT subject, no FROM (VALUES ${dueRows(plan)}) AS due (subject, no) WHERE no IS NOT NULL`,
    `CREATE INDEX ON ${DUE} (subject)`,
    `ANALYZE ${ROWS}, ${STEPS}, ${DUE}`,
    ...startingPositions(schema, plan),
    ...(detector === 'wal' ? journalTables(plan, probes) : []),
    `CREATE FUNCTION pg_temp.afresh_detect(IN forced text, OUT dirty bigint[], OUT how text, OUT why text, OUT upto pg_lsn) LANGUAGE plpgsql AS ${dollar(
      detectBody(probes, detector === 'wal' ? readJournal(plan) : ''),
    )}`,
    `CREATE FUNCTION pg_temp.afresh_reset() RETURNS json LANGUAGE plpgsql AS ${dollar(resetBody(program, detector === 'wal' ? closeWindow(plan) : ''))}`,
  ].join(';\n')
}

/** What can be computed again need not be kept. */
function captured(table: Table): string[] {
  return table.traits.includes('materialized') ? [] : [captureRows(table)]
}

export const DROP = `${DROP_JOURNAL_TABLES}; DROP FUNCTION IF EXISTS pg_temp.afresh_reset(); DROP FUNCTION IF EXISTS pg_temp.afresh_detect(text);
  DROP TABLE IF EXISTS ${ROWS}, ${STATE}, ${STEPS}, ${DUE}, ${OBJECTS}`

/**
 * Puts every sequence where the plan has it: `spread` moves them, and for the others a `setval` to their own
 * position makes the next `nextval` write WAL, which a sequence does only every 32nd time otherwise.
 */
function startingPositions(schema: Schema, plan: Plan): string[] {
  return plan.steps.flatMap((step) =>
    step.kind === 'restart' && isAtBaseline(schema, step) ? statementsOf(schema, plan, step) : [],
  )
}

/** A sequence that the schema has elsewhere is dirty from the beginning: the first reset moves it. */
function isAtBaseline(schema: Schema, { sequence: id, to }: RestartStep): boolean {
  const position = schema.sequences.find((sequence) => sequence.id === id)?.position
  return position?.value === to.value && position.called === to.called
}

/** Which steps run when a subject is dirty; with a row of nothing, so that there always is one. */
function dueRows(plan: Plan): string {
  const rows = plan.steps.flatMap((step, no) =>
    step.when.map((subject) => `(${subject}::bigint, ${no}::int)`),
  )
  return [...rows, '(NULL::bigint, NULL::int)'].join(', ')
}

function stepRow(
  schema: Schema,
  plan: Plan,
  step: Step,
  no: number,
  arounds: ReadonlyMap<TableId, Around>,
): string {
  const main = statementsOf(schema, plan, step)
  const touched = touchedBy(step).flatMap((id) => arounds.get(id) ?? [])
  const before = touched.flatMap((around) => around.before)
  const after = touched.flatMap((around) => around.after)
  const shortcut = step.kind === 'delete' ? step.orTruncate : undefined
  const columns = [
    no,
    `ARRAY[${[...before, ...main, ...after].map(literal).join(', ')}]`,
    before.length + 1,
    shortcut === undefined ? 'NULL' : leaves(shortcut.tables.slice(0, 1)),
    shortcut?.aboveBytes ?? 'NULL',
    shortcut === undefined ? 'NULL' : literal(truncate(shortcut.tables.map((id) => tableOf(schema, id)))),
    main.some((sql) => /^(TRUNCATE|ALTER|REFRESH)/.test(sql)),
  ]
  return `INSERT INTO ${STEPS} VALUES (${columns.join(', ')})`
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

/** The relations that hold the tables' rows; a partitioned table has none of its own. */
function leaves(tables: readonly TableId[]): string {
  return `ARRAY(SELECT coalesce(p.relid, t.oid) FROM unnest(ARRAY[${tables.join(', ')}]::oid[]) AS t(oid)
    LEFT JOIN LATERAL pg_catalog.pg_partition_tree(t.oid) AS p ON p.isleaf)`
}

/**
 * The waiting comes first: a straggler that commits meanwhile is then seen.
 *
 * @param journal reads the journal, and leaves `how` at `wal` where that told everything
 */
function detectBody(probes: ReadonlyMap<SubjectId, string>, journal: string): string {
  return `
DECLARE
  held record;
  since pg_lsn := nullif(pg_catalog.current_setting('afresh.since', true), '');
  touched oid[];
  probe text;
BEGIN
  how := '${journal === '' ? 'scan' : 'wal'}';
  why := '${journal === '' ? 'the journal cannot be read here' : 'the journal names what was written'}';
  IF forced = 'scan' THEN how := 'scan'; why := 'it was asked for'; END IF;
  dirty := '{}';
  ${WAIT_FOR_WRITERS}
  ${journal}
  IF how = 'scan' THEN
    dirty := ARRAY(${scanQuery(probes.values())});
  END IF;
END`
}

/** @param epilogue what the detector wants said after the steps */
function resetBody(program: Program, epilogue: string): string {
  const { mark } = program
  return `
DECLARE
  found record;
  step record;
  cut boolean;
  touched bigint;
  moved boolean := false;
  ran json[] := '{}';
BEGIN
  ${mark === undefined ? '' : guard(mark)}
  found := pg_temp.afresh_detect(${literal(program.detector)});
  IF cardinality(found.dirty) > 0 THEN
    SET CONSTRAINTS ALL IMMEDIATE;
    FOR step IN SELECT * FROM ${STEPS} AS s
      WHERE s.no IN (SELECT d.no FROM ${DUE} AS d WHERE d.subject = ANY (found.dirty)) ORDER BY s.no
    LOOP
      cut := step.above < (SELECT sum(pg_catalog.pg_relation_size(r)) FROM unnest(step.relations) AS r);
      FOR i IN 1 .. cardinality(step.sql) LOOP
        EXECUTE CASE WHEN i = step.counted AND cut THEN step.truncate ELSE step.sql[i] END;
        IF i = step.counted THEN GET DIAGNOSTICS touched = ROW_COUNT; END IF;
      END LOOP;
      moved := moved OR step.moves OR coalesce(cut, false);
      ran := ran || json_build_array(step.no, touched, coalesce(cut, false));
    END LOOP;
  END IF;
  ${epilogue}
  ${UNLINK_NEW_OBJECTS}
  RETURN json_build_object('detector', found.how, 'why', found.why, 'dirty', ARRAY(SELECT d::text FROM unnest(found.dirty) AS d), 'ran', ran);
END`
}

/** Large objects live outside of every table; no foreign key takes them along. */
const UNLINK_NEW_OBJECTS = `PERFORM pg_catalog.lo_unlink(m.oid) FROM pg_catalog.pg_largeobject_metadata AS m
    WHERE pg_catalog.pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS (SELECT FROM ${OBJECTS} AS o WHERE o.oid = m.oid);`

function guard(mark: string): string {
  return `IF ${MARK_EXPRESSION} IS DISTINCT FROM ${literal(mark)} THEN
    RAISE EXCEPTION USING ERRCODE = '${REFUSED}', MESSAGE = 'the database does not carry the mark ' || ${literal(mark)};
  END IF;`
}

/** Which step a failing statement belongs to. */
export function stepWith(program: Program, statement: string): Step | undefined {
  const { schema, plan } = program
  const everything = new Set(plan.steps.flatMap(({ when }) => when))
  return select(plan, everything).find(({ step }) => {
    const shortcut =
      step.kind === 'delete' && step.orTruncate
        ? [truncate(step.orTruncate.tables.map((id) => tableOf(schema, id)))]
        : []
    return [...statementsOf(schema, plan, step), ...shortcut].some((sql) => statement.includes(sql))
  })?.step
}
