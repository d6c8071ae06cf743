import type { Plan } from '../../plan/plan.ts'
import { type Schema, type SubjectId, type Table, tableOf } from '../../schema/schema.ts'
import type { Program } from '../resetter.ts'
import { FORGET_COUNTS, IS_CHANGED, IS_CHANGED_FUNCTION } from './catalog-counts.ts'
import { CATALOG_FUNCTION, CATALOG_QUERY } from './catalog-hash.ts'
import { CREATE_FETCHED, DEFERRED_TABLES, type DeferredTables, deferRows, needsOf } from './deferred-rows.ts'
import { DEFINITIONS_QUERY } from './definitions.ts'
import { DEFINITIONS } from './definitions-table.ts'
import { probesOf, SEQUENCE_PROBE, scanQuery } from './detect.ts'
import { FIND_DIRTY_VARIABLES, findDirty } from './find-dirty.ts'
import { CAPTURE_OBJECTS, DROP_OBJECT_FUNCTIONS, OBJECTS, RESTORE_OBJECTS } from './large-objects.ts'
import {
  CREATE_LEAVES,
  emptyPartitioned,
  fillLeaves,
  findFilledLeaves,
  isPartitioned,
  LEAVES,
  preparesLeaves,
} from './leaves.ts'
import { proof } from './ownership.ts'
import { PREPARE_FUNCTION } from './prepared-statements.ts'
import { dollar } from './quote.ts'
import { captureTable, INDEX_ROWS, NOTE_BLOCKS, REPAIR_TABLES, ROWS, STATE } from './repair.ts'
import { SIZE_FUNCTIONS } from './size-functions.ts'
import { positionsOf, startingPositions, stepRows } from './step-rows.ts'
import { DUE, POSITIONS, REFERENCES, STATEMENTS, STEP_TABLES } from './step-tables.ts'
import { PREPARE_STEPS, RESTART, runSteps } from './steps.ts'
import type { TriggerSuspensions } from './suspend-triggers.ts'
import { NOTE_NEXT, noteSequences } from './transaction-ids.ts'
import { DROP_RUN_FUNCTION, runFunction, type UserFunctions } from './user-functions.ts'
import { DROP_VIEW_FUNCTION, rememberNewView, rememberView, VIEW_FUNCTION } from './views.ts'
import {
  ADVANCE_PAST_OWN,
  DROP_FILES,
  FOLLOW_REWRITTEN,
  fileTables,
  MEASURE_SCAN,
  REFRESH_FILENODES,
  SAVE_LSN,
} from './wal.ts'
import type { WalAccess } from './wal-reader.ts'

export interface Session {
  /** The oid of the session's database, which never changes. */
  readonly database: string
  /** The version of the server: 180004. */
  readonly version: number
  readonly suspensions: TriggerSuspensions
  readonly journal: WalAccess
  readonly functions: UserFunctions
  readonly owned: boolean
  readonly deferred: DeferredTables
}

/**
 * The program of a session. All of it is in `pg_temp`, which ends with the session and leaves no trace in the
 * user's database.
 *
 * @param breakEvenBytes measured by the program, as `break_even_bytes`, if it is missing
 */
export function programSql(program: Program, session: Session, breakEvenBytes: string | undefined): string {
  const { suspensions, functions, journal, owned, deferred } = session
  const { schema, plan, before } = program
  const probes = probesOf(schema, plan)
  const isInJournal = (id: SubjectId) => journal.readable && !journal.unlogged.has(id)
  return [
    dropSql(owned, { isKept: before !== undefined }),
    ...STEP_TABLES,
    SIZE_FUNCTIONS,
    PREPARE_FUNCTION,
    VIEW_FUNCTION,
    runFunction(functions),
    ...(before === undefined ? capture(schema, plan, deferred) : recapture(schema, plan)),
    ...stepRows(schema, plan, { suspensions, functions, isInJournal, findsLeaves: !journal.readable }),
    ...(deferred.size > 0 ? needsOf(schema, plan, deferred, isInJournal) : []),
    ...(journal.readable ? [PREPARE_STEPS] : []),
    `ANALYZE ${[ROWS, STATE, STATEMENTS, DUE, POSITIONS].join(', ')}`,
    ...startingPositions(schema, plan),
    plpgsql('afresh_catalog() RETURNS text', `BEGIN RETURN (${CATALOG_QUERY}); END`),
    `SELECT pg_catalog.set_config('afresh.catalog', ${CATALOG_FUNCTION}, false)`,
    IS_CHANGED_FUNCTION,
    FORGET_COUNTS,
    plpgsql('afresh_scan() RETURNS oid[]', `BEGIN RETURN ARRAY(${scanQuery(probes.values())}); END`),
    ...(isPartitioned(schema, plan) ? [CREATE_LEAVES, ...fillLeaves(schema, plan, journal.readable)] : []),
    plpgsql('afresh_find_dirty(OUT filled oid[], OUT leaves oid[])', findDirtyBody(program, session, probes)),
    ...(journal.readable ? fileTables(plan) : [noteSequences(plan)]),
    ...(journal.readable && breakEvenBytes === undefined ? [MEASURE_SCAN] : []),
  ].join(';\n')
}

/**
 * The body of a function that finds what a scan does, if the schema is the plan's, and opens fewer tables.
 * `leaves`: the partitions with rows of tables whose baseline is empty.
 */
function findDirtyBody(
  { schema, plan }: Program,
  { owned, journal, version }: Session,
  probes: ReadonlyMap<SubjectId, string>,
): string {
  const partitioned = emptyPartitioned(schema, plan)
  // From 18 on. With the journal, the values that a sequence has logged ahead count too.
  const positions = version >= 180000 && !journal.readable ? positionsOf(schema, plan) : []
  const faster = new Set([...partitioned, ...positions])
  const others = [...probes].filter(([id]) => !faster.has(id)).map(([, sql]) => sql)
  if (positions.length > 0) others.push(SEQUENCE_PROBE)
  return `DECLARE
    leaf record;
    is_filled boolean;
  BEGIN
    filled := ARRAY(${scanQuery(others)});
    leaves := '{}';
    ${partitioned.length === 0 ? '' : findFilledLeaves(partitioned, owned)}
  END`
}

/** Captures the baseline: rows and their versions, large objects, and all definitions. */
function capture(schema: Schema, plan: Plan, deferred: DeferredTables): string[] {
  return [
    ...REPAIR_TABLES,
    ...(deferred.size > 0 ? [CREATE_FETCHED] : []),
    ...CAPTURE_OBJECTS,
    ...plan.populated
      .map((id) => tableOf(schema, id))
      .filter(isStored)
      .flatMap((table) => {
        const versions = deferred.get(table.id)
        return versions === undefined ? captureTable(table) : [deferRows(table.id, versions)]
      }),
    ...views(schema).map(rememberView),
    INDEX_ROWS,
    `CREATE TEMP TABLE afresh_definitions AS ${DEFINITIONS_QUERY}`,
    `CREATE INDEX ON ${DEFINITIONS} (relation)`,
    `ANALYZE ${DEFINITIONS}`,
  ]
}

/** Adapts the program to objects that were added to the schema, and keeps the baseline. */
function recapture(schema: Schema, plan: Plan): string[] {
  const reset = new Set(plan.order.flat())
  return [
    `DELETE FROM ${STATE} AS s WHERE s.table_oid <> ALL (ARRAY[${[...reset].join(', ')}]::oid[])`,
    ...views(schema).map(rememberNewView),
    `DELETE FROM ${DEFINITIONS}`,
    `INSERT INTO ${DEFINITIONS} ${DEFINITIONS_QUERY}`,
  ]
}

const isStored = ({ traits }: Table) => !traits.includes('materialized')
const views = ({ tables }: Schema) => tables.filter((table) => !isStored(table))

/** The functions of a session that ran `programSql`, which returned `breakEvenBytes`. */
export function functionsSql(program: Program, session: Session, breakEvenBytes: string): string {
  const { journal } = session
  const probes = probesOf(program.schema, program.plan)
  return [
    plpgsql(
      'afresh_find_dirty(IN forced text, OUT touched oid[], OUT reason text)',
      `DECLARE${FIND_DIRTY_VARIABLES} BEGIN ${findDirty(journal, breakEvenBytes, probes, 'RETURN;')} END`,
    ),
    plpgsql(
      'afresh_reset(forced text) RETURNS json',
      resetBody(program, session, findDirty(journal, breakEvenBytes, probes, 'RETURN NULL;')),
    ),
  ].join(';\n')
}

function plpgsql(signature: string, body: string): string {
  return `CREATE FUNCTION pg_temp.${signature} LANGUAGE plpgsql AS ${dollar(body)}`
}

/** @param isKept whether the baseline stays */
export function dropSql(owned: boolean, { isKept = false } = {}): string {
  const baseline = isKept ? [] : [ROWS, STATE, OBJECTS, DEFINITIONS, DEFERRED_TABLES.kept]
  const functions = isKept ? [] : DROP_OBJECT_FUNCTIONS
  return `${owned ? 'DEALLOCATE ALL; ' : ''}${DROP_FILES}; DROP FUNCTION IF EXISTS pg_temp.afresh_reset(text);
  DROP FUNCTION IF EXISTS pg_temp.afresh_find_dirty(text); DROP FUNCTION IF EXISTS pg_temp.afresh_scan();
  DROP FUNCTION IF EXISTS pg_temp.afresh_find_dirty(); DROP FUNCTION IF EXISTS ${IS_CHANGED};
  DROP FUNCTION IF EXISTS pg_temp.afresh_prepare(text, text);
  DROP FUNCTION IF EXISTS ${CATALOG_FUNCTION};
  DROP FUNCTION IF EXISTS pg_temp.afresh_size(oid); ${DROP_VIEW_FUNCTION}; ${DROP_RUN_FUNCTION};
  DROP FUNCTION IF EXISTS pg_temp.afresh_is_large(oid, bigint, boolean, float8, bigint);
  ${functions.map((sql) => `${sql}; `).join('')}DROP TABLE IF EXISTS ${[STATEMENTS, DUE, REFERENCES, POSITIONS, LEAVES, DEFERRED_TABLES.ofProgram, ...baseline].join(', ')}`
}

/** Up to this many blocks are compared one by one; beyond that, the whole table is. */
const NEAR_BLOCKS = 64

/** The body of a reset; it returns null if the WAL shows no writes. */
function resetBody(
  { schema, plan, claim, isLeasedElsewhere = false }: Program,
  { journal, database, deferred }: Session,
  found: string,
): string {
  return `
DECLARE
  reason text;
  touched oid[];${FIND_DIRTY_VARIABLES}
  step record;
  is_near boolean;
  is_full boolean;
  referring oid[];
  count bigint;
  skipped pg_lsn;
  ran text := '';${deferred.size > 0 ? '\n  needed json;' : ''}${isPartitioned(schema, plan) ? '\n  leaf record;\n  count_of_leaf bigint;' : ''}
BEGIN
  ${claim === undefined ? '' : proof(claim, database, { isHolder: !isLeasedElsewhere })}${found}
  ${journal.readable ? FOLLOW_REWRITTEN : ''}
  IF cardinality(touched) > 0 THEN
    ${plan.mode === 'ordered' ? 'SET CONSTRAINTS ALL IMMEDIATE;' : ''}
    is_full := pg_catalog.current_setting('afresh.full', true) = 'on';
    IF reason IS NULL AND json_array_length(blocks) <= ${NEAR_BLOCKS} THEN
      is_near := true;
      ${NOTE_BLOCKS}
    END IF;${runSteps(plan, {
      isDeferred: deferred.size > 0,
      isPartitioned: isPartitioned(schema, plan),
      preparesLeaves: preparesLeaves(schema, plan, journal.readable),
    })}
  END IF;
  IF objects THEN
    ${RESTORE_OBJECTS}
  END IF;
  ${
    journal.readable
      ? `IF moved THEN
    ${REFRESH_FILENODES}
  END IF;
  ${ADVANCE_PAST_OWN}`
      : ''
  }
  RETURN json_build_object('reason', reason, 'dirty', touched::text[], 'ran', ran, 'stale', stale, 'writing', writing,
    'restarted', ${RESTART}${journal.readable ? `, 'bytes', upto - since, 'since', ${SAVE_LSN}` : `, 'next', ${NOTE_NEXT}`});
END`
}
