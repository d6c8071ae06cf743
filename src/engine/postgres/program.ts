import { type TableId, tableOf } from '../../schema/schema.ts'
import type { Program } from '../engine.ts'
import type { Around } from './around.ts'
import { COLUMNS, probesOf, SHAPE, scanQuery } from './detect.ts'
import { LOOK_VARIABLES, look } from './look.ts'
import { carries } from './ownership.ts'
import { literal } from './quote.ts'
import { captureBaseline, INDEX_ROWS, NOTE_BLOCKS, REPAIR_TABLES, ROWS, STATE } from './repair.ts'
import { dollar } from './statements.ts'
import {
  DUE,
  POSITIONS,
  PREPARE_STEPS,
  RESTART,
  runSteps,
  SIZE_FUNCTIONS,
  STATEMENTS,
  STEP_TABLES,
  startingPositions,
  stepRows,
} from './steps.ts'
import {
  DROP_FILES,
  FIND_FILES_AGAIN,
  FOLLOW_REWRITTEN,
  fileTables,
  type Journal,
  NOTE_WINDOW,
  SKIP_OWN,
  WEIGH,
} from './wal.ts'

/** What `afresh_reset` raises when the mark is not there. */
export const REFUSED = 'AFR01'

/** The large objects of the baseline. */
const OBJECTS = 'pg_temp.afresh_objects'

export interface Session {
  /** The oid of the database that the session is in, and stays in. */
  readonly database: string
  readonly arounds: ReadonlyMap<TableId, Around>
  readonly journal: Journal
  readonly owned: boolean
}

/**
 * The program of a session: everything in `pg_temp`, which ends with the session and leaves no trace in the
 * user's database.
 */
export function programSql(program: Program, { arounds, journal, owned }: Session): string {
  const { schema, plan } = program
  const probes = probesOf(schema, plan)
  return [
    dropSql(owned),
    ...REPAIR_TABLES,
    ...STEP_TABLES,
    SIZE_FUNCTIONS,
    `CREATE TEMP TABLE afresh_objects AS SELECT oid FROM pg_catalog.pg_largeobject_metadata`,
    ...captureBaseline(plan.populated.map((id) => tableOf(schema, id))),
    INDEX_ROWS,
    ...stepRows(schema, plan, {
      arounds,
      isInJournal: (id) => journal.readable && !journal.unlogged.has(id),
    }),
    ...(journal.readable ? [PREPARE_STEPS] : []),
    `ANALYZE ${[ROWS, STATE, STATEMENTS, DUE, POSITIONS].join(', ')}`,
    ...startingPositions(schema, plan),
    `SELECT pg_catalog.set_config('afresh.shape', ${SHAPE}, false), pg_catalog.set_config('afresh.columns', ${COLUMNS}, false)`,
    plpgsql('afresh_scan() RETURNS oid[]', `BEGIN RETURN ARRAY(${scanQuery(probes.values())}); END`),
    ...(journal.readable ? [...fileTables(plan), WEIGH] : []),
  ].join(';\n')
}

/** The functions of a session that has run `programSql`, which tells the `worth` of a scan. */
export function functionsSql(program: Program, session: Session, worth: string): string {
  const { journal } = session
  const probes = probesOf(program.schema, program.plan)
  return [
    plpgsql(
      'afresh_look(IN forced text, OUT touched oid[], OUT reason text)',
      `DECLARE${LOOK_VARIABLES} BEGIN ${look(journal, worth, probes, 'RETURN;')} END`,
    ),
    plpgsql(
      'afresh_reset(forced text) RETURNS json',
      resetBody(program, session, look(journal, worth, probes, 'RETURN NULL;')),
    ),
  ].join(';\n')
}

function plpgsql(signature: string, body: string): string {
  return `CREATE FUNCTION pg_temp.${signature} LANGUAGE plpgsql AS ${dollar(body)}`
}

export function dropSql(owned: boolean): string {
  return `${owned ? 'DEALLOCATE ALL; ' : ''}${DROP_FILES}; DROP FUNCTION IF EXISTS pg_temp.afresh_reset(text);
  DROP FUNCTION IF EXISTS pg_temp.afresh_look(text); DROP FUNCTION IF EXISTS pg_temp.afresh_scan();
  DROP FUNCTION IF EXISTS pg_temp.afresh_size(oid);
  DROP FUNCTION IF EXISTS pg_temp.afresh_is_large(oid, bigint, boolean, float8, bigint);
  DROP TABLE IF EXISTS ${[ROWS, STATE, STATEMENTS, DUE, POSITIONS, OBJECTS].join(', ')}`
}

/** So many blocks are looked at one by one; with more than that, the whole table is. */
const NEAR_BLOCKS = 64

/** A reset; null when the journal tells that nobody has written. */
function resetBody({ plan, mark }: Program, { journal, database }: Session, found: string): string {
  return `
DECLARE
  reason text;
  touched oid[];${LOOK_VARIABLES}
  step record;
  is_near boolean;
  count bigint;
  skipped pg_lsn;
  ran text := '';
BEGIN
  ${mark === undefined ? '' : guard(mark, database)}${found}
  ${journal.readable ? FOLLOW_REWRITTEN : ''}
  IF cardinality(touched) > 0 THEN
    ${plan.mode === 'ordered' ? 'SET CONSTRAINTS ALL IMMEDIATE;' : ''}
    IF reason IS NULL AND json_array_length(blocks) <= ${NEAR_BLOCKS} THEN
      is_near := true;
      ${NOTE_BLOCKS}
    END IF;${runSteps(plan)}
  END IF;
  IF objects THEN
    ${UNLINK_NEW_OBJECTS}
  END IF;
  ${
    journal.readable
      ? `IF moved THEN
    ${FIND_FILES_AGAIN}
  END IF;
  ${SKIP_OWN}`
      : ''
  }
  RETURN json_build_object('reason', reason, 'dirty', touched::text[], 'ran', ran, 'stale', stale, 'writing', writing,
    'restarted', ${RESTART}${journal.readable ? `, 'bytes', upto - since, 'since', ${NOTE_WINDOW}` : ''});
END`
}

/** Large objects live outside of every table; no foreign key takes them along. */
const UNLINK_NEW_OBJECTS = `PERFORM pg_catalog.lo_unlink(m.oid) FROM pg_catalog.pg_largeobject_metadata AS m
    WHERE pg_catalog.pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS (SELECT FROM ${OBJECTS} AS o WHERE o.oid = m.oid);`

function guard(mark: string, database: string): string {
  return `IF NOT EXISTS (${carries(mark, database)}) THEN
    RAISE EXCEPTION USING ERRCODE = '${REFUSED}', MESSAGE = 'the database does not carry the mark ' || ${literal(mark)};
  END IF;`
}
