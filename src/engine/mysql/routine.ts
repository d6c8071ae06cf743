import { offExpression } from './counters.ts'
import { COUNTS } from './counts-cost.ts'
import type { Flavor } from './flavor.ts'
import { MARK_TABLE } from './introspect.ts'
import { literal } from './quote.ts'
import { SHORT_SQL_LENGTH, type Store } from './routine-store.ts'
import { BOUNDED_WAITS, CLEAR_VARIABLES, type Setting, swapped, WHOLE_LISTS } from './session.ts'

/** Phases of a reset, in order. TRUNCATE and ALTER commit, so rows change in one transaction between them. */
export const PHASE = {
  needsClient: 0,
  truncate: 1,
  rows: 2,
  restart: 3,
  print: 8,
  movedCounters: 9,
  refilled: 10,
} as const

/** More statements than any reset runs: announced before their number is known. */
const MANY_STATEMENTS = 1_000_000

/** How a table was written: no inserts, some, or so many that TRUNCATE is faster. */
export const WRITE_KIND = { noInserts: 1, inserts: 2, manyInserts: 4 } as const

/** A routine keeps the SQL mode and character set of its creation, and shows no definitions. */
export const KEPT_BY_ROUTINE = new Set([
  'sql_mode',
  'sql_quote_show_create',
  'sql_select_limit',
  'character_set_client',
  'collation_connection',
])

const entries = (json: string, columns: string) => `JSON_TABLE(${json}, '$[*]' COLUMNS (${columns}))`

/**
 * The routine returns `state`: `clean`; `dirty`, and restored if `acts`; or, without any change, `changed`
 * (tables differ from the recorded ones), `needs-client` (there are steps that a routine cannot run),
 * `unreliable` (the counts are not reliable). `due` has `[table_index, write_kind]` of each table that may be
 * dirty, `ran` has `[step, table_index, phase, rows]`.
 */
export function bodyOf(
  { watch }: Flavor,
  settings: readonly Setting[],
  { detectors, seen, cascades, steps }: Store,
): string {
  const { save, set, restore } = swapped(settings)
  return `BEGIN
  DECLARE state VARCHAR(20) DEFAULT 'dirty';
  DECLARE done, is_open, wanted, recognizes_own_ddl, is_behind INT DEFAULT 0;
  DECLARE faults, now_catalog, known_catalog, affected, ddl, alters BIGINT DEFAULT 0;
  DECLARE known_print VARCHAR(64);
  DECLARE flagged, moved, due, ran, noted, run_now LONGTEXT;
  DECLARE current_phase, current_step, current_sub, current_table INT;
  DECLARE counts_as VARCHAR(10);
  DECLARE unless_now VARCHAR(${SHORT_SQL_LENGTH}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE unknown, cascading INT DEFAULT 0;
  -- Without long statements: a temporary table with texts goes to disk.
  DECLARE walk CURSOR FOR
    SELECT s.phase, s.step, s.sub, s.table_index, s.counts, s.unless, s.short_sql
    FROM ${entries('due', "table_index INT PATH '$[0]', write_kind INT PATH '$[1]'")} AS d
    STRAIGHT_JOIN ${steps} AS s ON s.detector = detector_id AND s.table_index = d.table_index AND s.phase < ${PHASE.print} AND s.write_kinds & d.write_kind
    ORDER BY s.phase, s.step, s.sub;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;

  whole: BEGIN
  ${WHOLE_LISTS};
  ${BOUNDED_WAITS};
  SELECT ${watch.catalog}, ${watch.lost} INTO now_catalog, faults FROM ${watch.status};
  SET faults = faults + ${offExpression('db')};
  SET done = 0;
  SELECT written, print, recognizes_own, announced <> finished INTO known_catalog, known_print, recognizes_own_ddl, is_behind FROM ${detectors} WHERE id = detector_id;
  IF faults > 0 OR done THEN
    SET state = 'unreliable';
    LEAVE whole;
  END IF;
  -- The last call did not come to its end.
  IF is_behind THEN UPDATE ${detectors} SET announced = finished WHERE id = detector_id; END IF;
  IF now_catalog <> known_catalog THEN
    SELECT run INTO @afresh_sql FROM ${steps} WHERE detector = detector_id AND table_index = -1 AND phase = ${PHASE.print};
    PREPARE afresh_step FROM @afresh_sql;
    EXECUTE afresh_step;
    IF NOT (@afresh_print <=> known_print) THEN
      SET state = 'changed';
      LEAVE whole;
    END IF;
    SELECT run INTO @afresh_sql FROM ${steps} WHERE detector = detector_id AND table_index = -1 AND phase = ${PHASE.movedCounters};
    PREPARE afresh_step FROM @afresh_sql;
    EXECUTE afresh_step;
  END IF;

  SELECT COALESCE(SUM(s.name IS NULL), 0), COALESCE(SUM(c.count_update + c.count_delete <> s.others), 0),
      JSON_ARRAYAGG(JSON_ARRAY(s.table_index,
        IF(CAST(c.count_insert AS SIGNED) - s.inserts > s.many, ${WRITE_KIND.manyInserts},
          IF(c.count_insert <> s.inserts, ${WRITE_KIND.inserts}, ${WRITE_KIND.noInserts})),
        CAST(c.count_insert AS SIGNED) - s.inserts, CAST(c.count_update + c.count_delete AS SIGNED) - s.others))
    INTO unknown, cascading, flagged
    FROM ${COUNTS} AS c LEFT JOIN ${seen} AS s ON s.detector = detector_id AND s.name = c.object_name
    WHERE c.object_type = 'TABLE' AND c.object_schema = db AND c.object_name NOT LIKE '#sql%'
      AND c.object_name <> ${literal(MARK_TABLE)}
      AND (s.name IS NULL OR c.count_insert <> s.inserts OR c.count_update + c.count_delete <> s.others);
  IF unknown > 0 THEN
    SET state = 'changed';
    LEAVE whole;
  END IF;
  IF flagged IS NULL AND @afresh_moved IS NULL THEN
    IF now_catalog <> known_catalog THEN UPDATE ${detectors} SET written = now_catalog WHERE id = detector_id; END IF;
    SET state = 'clean';
    LEAVE whole;
  END IF;
  IF cascading = 0 AND @afresh_moved IS NULL THEN
    SET due = flagged;
  ELSE
    SET flagged = COALESCE(flagged, '[]'), moved = COALESCE(CONVERT(@afresh_moved USING utf8mb4), '[]');
    SELECT JSON_ARRAYAGG(JSON_ARRAY(table_index, write_kind)) INTO due FROM (
      SELECT table_index, MAX(write_kind) AS write_kind FROM (
        SELECT table_index, write_kind FROM ${entries('flagged', "table_index INT PATH '$[0]', write_kind INT PATH '$[1]'")} AS f
        UNION ALL SELECT k.child, ${WRITE_KIND.noInserts}
          FROM ${entries('flagged', "table_index INT PATH '$[0]', others BIGINT PATH '$[3]'")} AS f
          STRAIGHT_JOIN ${cascades} AS k ON k.detector = detector_id AND k.table_index = f.table_index WHERE f.others <> 0
        UNION ALL SELECT table_index, ${WRITE_KIND.noInserts} FROM ${entries('moved', "table_index INT PATH '$'")} AS m
      ) AS every GROUP BY table_index) AS one;
  END IF;
  IF NOT acts THEN LEAVE whole; END IF;

  ${save};
  ${set};
  COMMIT;
  SET ran = '', noted = '';
  OPEN walk;
  steps: LOOP
    SET done = 0;
    FETCH walk INTO current_phase, current_step, current_sub, current_table, counts_as, unless_now, run_now;
    IF done THEN LEAVE steps; END IF;
    IF run_now IS NULL THEN
      SELECT run INTO run_now FROM ${steps}
        WHERE detector = detector_id AND table_index = current_table AND phase = current_phase AND step = current_step AND sub = current_sub;
    END IF;
    IF current_phase = ${PHASE.needsClient} THEN
      SET state = 'needs-client';
      LEAVE steps;
    END IF;
    SET @afresh_at = current_step, @afresh_sql = run_now, wanted = 1;
    IF current_phase = ${PHASE.rows} AND NOT is_open THEN
      SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
      START TRANSACTION;
      SET is_open = 1;
    ELSEIF current_phase = ${PHASE.restart} AND is_open THEN
      COMMIT;
      SET is_open = 0;
    END IF;
    IF unless_now IS NOT NULL THEN
      SET @afresh_sql = unless_now, @afresh_is = 0;
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      SET wanted = NOT @afresh_is, @afresh_sql = run_now;
    END IF;
    IF wanted THEN
      IF current_phase = ${PHASE.restart} THEN
        IF alters = 0 THEN UPDATE ${detectors} SET announced = finished + ${MANY_STATEMENTS} WHERE id = detector_id; END IF;
        SET alters = alters + 1;
      END IF;
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      SET affected = ROW_COUNT();
      SET ran = CONCAT(ran, ',[', current_step, ',', current_table, ',', current_phase, ',', affected, ']');
      IF current_phase <> ${PHASE.rows} THEN SET ddl = ddl + 1; END IF;
      -- Kept until the transaction is over: under GTID consistency MEMORY tables may not be written within one.
      IF counts_as IS NOT NULL THEN
        SET noted = CONCAT(noted, ',[', current_table, ',', CASE counts_as WHEN 'inserts' THEN CONCAT(affected, ',0')
          WHEN 'others' THEN CONCAT('0,', affected) ELSE '1,0' END, ']');
      END IF;
    END IF;
  END LOOP;
  CLOSE walk;
  IF is_open THEN COMMIT; END IF;
  IF alters > 0 THEN UPDATE ${detectors} SET announced = finished + alters, finished = finished + alters WHERE id = detector_id; END IF;
  IF state = 'dirty' THEN
    SET noted = CONCAT('[', SUBSTRING(noted, 2), ']');
    UPDATE (SELECT table_index, SUM(inserts) AS inserts, SUM(others) AS others FROM (
        SELECT * FROM ${entries('flagged', "table_index INT PATH '$[0]', inserts BIGINT PATH '$[2]', others BIGINT PATH '$[3]'")} AS f
        UNION ALL SELECT * FROM ${entries('noted', "table_index INT PATH '$[0]', inserts BIGINT PATH '$[1]', others BIGINT PATH '$[2]'")} AS n
      ) AS every GROUP BY table_index) AS f
      STRAIGHT_JOIN ${seen} AS s ON s.detector = detector_id AND s.table_index = f.table_index
      SET s.inserts = s.inserts + f.inserts, s.others = s.others + f.others;
    -- Own statements can be told apart from those of other sessions, rows of system tables cannot: the
    -- next reset inspects them, unless this reset's TRUNCATE can be recognized as its own.
    ${watch.countsStatements ? 'SET now_catalog = now_catalog + ddl;' : `IF ddl > 0 AND NOT recognizes_own_ddl THEN SELECT ${watch.catalog} INTO now_catalog FROM ${watch.status}; END IF;`}
    IF now_catalog <> known_catalog THEN UPDATE ${detectors} SET written = now_catalog WHERE id = detector_id; END IF;
    -- This reset's TRUNCATE changes the number of a table with baseline rows. One by another session would leave it empty.
    SET @afresh_sql = NULL;
    IF ddl > alters THEN
      SELECT MAX(run) INTO @afresh_sql FROM ${steps} WHERE detector = detector_id AND table_index = -1 AND phase = ${PHASE.refilled};
    END IF;
    IF @afresh_sql IS NOT NULL THEN
      SET run_now = @afresh_sql;
      SELECT run INTO @afresh_sql FROM ${steps} WHERE detector = detector_id AND table_index = -1 AND phase = ${PHASE.print};
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      SET @afresh_sql = run_now;
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      IF @afresh_is AND SUBSTRING_INDEX(@afresh_print, ':', 2) = SUBSTRING_INDEX(known_print, ':', 2) THEN
        UPDATE ${detectors} SET print = @afresh_print WHERE id = detector_id;
      END IF;
    END IF;
    SET @afresh_sql = run_now;
  END IF;
  ${restore};
  END;
  IF @afresh_sql IS NOT NULL THEN DEALLOCATE PREPARE afresh_step; END IF;
  ${CLEAR_VARIABLES};
  SELECT state, due, CONCAT('[', SUBSTRING(ran, 2), ']') AS ran;
END`
}
