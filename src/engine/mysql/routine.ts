import { createHash } from 'node:crypto'
import type { Connection } from '../engine.ts'
import { flavorOf } from './connection.ts'
import { COUNTS, offExpression } from './counters.ts'
import { ROUTINE_EXISTS } from './errno.ts'
import type { Flavor } from './flavor.ts'
import { MARK_TABLE } from './introspect.ts'
import { createRegistry, REGISTRY } from './ownership.ts'
import { literal } from './quote.ts'
import { BatchError, batch, FORGET, type Setting, settingsOf, swapped, WHOLE_LISTS } from './session.ts'

/**
 * What prepared resets need to have on the server, for all databases together: afresh's own database holds the
 * tables below and one procedure, so that a reset that finds something dirty puts it right in the same round trip.
 * The counts that were seen last stand in memory like the server's own: both are gone when it restarts.
 */
export interface Store {
  readonly watches: string
  readonly seen: string
  readonly cascades: string
  readonly steps: string
  readonly procedure: string
}

/** Two versions of afresh on one server have each their own: `digest` is of what the tables and procedure are. */
function storeOf(digest: string): Store {
  const name = (kind: string) => `${REGISTRY}.${kind}_${digest}`
  return {
    watches: name('watches'),
    seen: name('seen'),
    cascades: name('cascades'),
    steps: name('steps'),
    procedure: name('reset'),
  }
}

/** A statement up to this long stands with its step, a longer one apart. */
export const BRIEF = 500

const tablesOf = ({ watches, seen, cascades, steps }: Store) => [
  `CREATE TABLE IF NOT EXISTS ${watches} (id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, database_name VARCHAR(64) NOT NULL,
    written BIGINT NOT NULL, print VARCHAR(64), tells TINYINT NOT NULL) ENGINE=MEMORY CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${seen} (watch BIGINT NOT NULL, name VARCHAR(64) NOT NULL, place INT NOT NULL, file VARCHAR(140),
    next DECIMAL(20), many BIGINT NOT NULL, inserts BIGINT NOT NULL, others BIGINT NOT NULL,
    PRIMARY KEY (watch, name), KEY (watch, place), KEY (watch, file)) ENGINE=MEMORY CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${cascades} (watch BIGINT, place INT, child INT, PRIMARY KEY (watch, place, child)) ENGINE=InnoDB`,
  `CREATE TABLE IF NOT EXISTS ${steps} (watch BIGINT, place INT, phase INT, step INT, sub INT, ways INT NOT NULL, counts VARCHAR(10),
    unless VARCHAR(${BRIEF}), brief VARCHAR(${BRIEF}), run LONGTEXT, PRIMARY KEY (watch, place, phase, step, sub))
    ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
]

/** The order of a reset. TRUNCATE and ALTER commit whatever is open, so rows change in one transaction between them. */
export const PHASE = { byHand: 0, cut: 1, rows: 2, restart: 3, print: 8, moved: 9 } as const

/** How a table was written: no inserts, some, or so many that TRUNCATE is the cheaper way. */
export const WAY = { noInserts: 1, inserts: 2, manyInserts: 4 } as const

/** Makes the tables and the procedure where they are missing; returns their names and what the procedure sets. */
export async function createRoutine(
  connection: Connection,
): Promise<{ readonly store: Store; readonly settings: readonly Setting[] }> {
  const flavor = await flavorOf(connection)
  const settings = settingsOf(flavor, 'seconds').filter(({ name }) => !KEPT_BY_ROUTINE.has(name))
  const textOf = (store: Store) => [...tablesOf(store), bodyOf(flavor, settings, store)].join()
  const digest = createHash('sha256')
    .update(textOf(storeOf('')))
    .digest('hex')
    .slice(0, 12)
  const store = storeOf(digest)
  await createRegistry(connection)
  await dropUnused(connection, digest)
  await batch(connection, tablesOf(store), {
    settings: [{ name: 'max_heap_table_size', value: '268435456' }],
  })
  try {
    await batch(connection, [
      `CREATE PROCEDURE ${store.procedure} (IN w BIGINT, IN db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, IN acts INT, IN seconds INT)
       MODIFIES SQL DATA SQL SECURITY INVOKER ${bodyOf(flavor, settings, store)}`,
    ])
  } catch (error) {
    if (!(error instanceof BatchError) || error.errno !== ROUTINE_EXISTS) throw error
  }
  return { store, settings }
}

/** Drops what another version of afresh has left, unless a session watches by it. */
async function dropUnused(connection: Connection, own: string): Promise<void> {
  const others = await connection.query(
    `SELECT RIGHT(table_name, 12) AS digest FROM information_schema.tables
     WHERE table_schema = ${literal(REGISTRY)} AND table_name REGEXP '^watches_[0-9a-f]{12}$' AND RIGHT(table_name, 12) <> ${literal(own)}`,
  )
  for (const { digest } of others) {
    const { watches, seen, cascades, steps, procedure } = storeOf(String(digest))
    const live = await connection.query(
      `SELECT 1 AS live FROM ${watches} AS w JOIN information_schema.processlist AS p ON p.id = w.owner LIMIT 1`,
    )
    if (live.length > 0) continue
    await batch(connection, [
      `DROP PROCEDURE IF EXISTS ${procedure}`,
      // The one that this goes by is the last.
      ...[seen, cascades, steps, watches].map((table) => `DROP TABLE IF EXISTS ${table}`),
    ])
  }
}

/** A routine runs with the SQL mode and character set that it was created with, and shows and limits nothing. */
const KEPT_BY_ROUTINE = new Set([
  'sql_mode',
  'sql_quote_show_create',
  'sql_select_limit',
  'character_set_client',
  'collation_connection',
])

const entries = (json: string, columns: string) => `JSON_TABLE(${json}, '$[*]' COLUMNS (${columns}))`

/**
 * Reports `state`: `clean`; `dirty`, and put right where `acts`; or, having changed nothing, `changed` (tables are not
 * those that they were), `by hand` (there are steps that a routine may not take), `blind` (the counts cannot be
 * relied on). With it `due`: `[place, way]` of each table that may be dirty, and `ran`: `[step, place, phase, rows]`.
 */
function bodyOf(
  { watch }: Flavor,
  settings: readonly Setting[],
  { watches, seen, cascades, steps }: Store,
): string {
  const { save, set, restore } = swapped(settings)
  return `BEGIN
  DECLARE state VARCHAR(10) DEFAULT 'dirty';
  DECLARE done, is_open, wanted, is_told INT DEFAULT 0;
  DECLARE faults, now_catalog, known_catalog, affected, ddl BIGINT DEFAULT 0;
  DECLARE known_print VARCHAR(64);
  DECLARE flagged, moved, due, ran, run_now LONGTEXT;
  DECLARE at_phase, at_step, at_sub, at_place INT;
  DECLARE counts_as VARCHAR(10);
  DECLARE unless_now VARCHAR(${BRIEF}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE unknown, cascading INT DEFAULT 0;
  -- Without long statements: a temporary table with texts goes to disk.
  DECLARE walk CURSOR FOR
    SELECT s.phase, s.step, s.sub, s.place, s.counts, s.unless, s.brief
    FROM ${entries('due', "place INT PATH '$[0]', way INT PATH '$[1]'")} AS d
    STRAIGHT_JOIN ${steps} AS s ON s.watch = w AND s.place = d.place AND s.phase < ${PHASE.print} AND s.ways & d.way
    ORDER BY s.phase, s.step, s.sub;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;

  whole: BEGIN
  ${WHOLE_LISTS};
  SELECT ${watch.catalog}, ${watch.lost} INTO now_catalog, faults FROM ${watch.status};
  SET faults = faults + ${offExpression('db')};
  SET done = 0;
  SELECT written, print, tells INTO known_catalog, known_print, is_told FROM ${watches} WHERE id = w;
  IF faults > 0 OR done THEN
    SET state = 'blind';
    LEAVE whole;
  END IF;
  IF now_catalog <> known_catalog THEN
    SELECT run INTO @afresh_sql FROM ${steps} WHERE watch = w AND place = -1 AND phase = ${PHASE.print};
    PREPARE afresh_step FROM @afresh_sql;
    EXECUTE afresh_step;
    IF NOT (@afresh_print <=> known_print) THEN
      SET state = 'changed';
      LEAVE whole;
    END IF;
    SELECT run INTO @afresh_sql FROM ${steps} WHERE watch = w AND place = -1 AND phase = ${PHASE.moved};
    PREPARE afresh_step FROM @afresh_sql;
    EXECUTE afresh_step;
  END IF;

  SELECT COALESCE(SUM(s.name IS NULL), 0), COALESCE(SUM(c.count_update + c.count_delete <> s.others), 0),
      JSON_ARRAYAGG(JSON_ARRAY(s.place,
        IF(CAST(c.count_insert AS SIGNED) - s.inserts > s.many, ${WAY.manyInserts},
          IF(c.count_insert <> s.inserts, ${WAY.inserts}, ${WAY.noInserts})),
        CAST(c.count_insert AS SIGNED) - s.inserts, CAST(c.count_update + c.count_delete AS SIGNED) - s.others))
    INTO unknown, cascading, flagged
    FROM ${COUNTS} AS c LEFT JOIN ${seen} AS s ON s.watch = w AND s.name = c.object_name
    WHERE c.object_type = 'TABLE' AND c.object_schema = db AND c.object_name NOT LIKE '#sql%'
      AND c.object_name <> ${literal(MARK_TABLE)}
      AND (s.name IS NULL OR c.count_insert <> s.inserts OR c.count_update + c.count_delete <> s.others);
  IF unknown > 0 THEN
    SET state = 'changed';
    LEAVE whole;
  END IF;
  IF flagged IS NULL AND @afresh_moved IS NULL THEN
    IF now_catalog <> known_catalog THEN UPDATE ${watches} SET written = now_catalog WHERE id = w; END IF;
    SET state = 'clean';
    LEAVE whole;
  END IF;
  IF cascading = 0 AND @afresh_moved IS NULL THEN
    SET due = flagged;
  ELSE
    SET flagged = COALESCE(flagged, '[]'), moved = COALESCE(CONVERT(@afresh_moved USING utf8mb4), '[]');
    SELECT JSON_ARRAYAGG(JSON_ARRAY(place, way)) INTO due FROM (
      SELECT place, MAX(way) AS way FROM (
        SELECT place, way FROM ${entries('flagged', "place INT PATH '$[0]', way INT PATH '$[1]'")} AS f
        UNION ALL SELECT k.child, ${WAY.noInserts}
          FROM ${entries('flagged', "place INT PATH '$[0]', others BIGINT PATH '$[3]'")} AS f
          STRAIGHT_JOIN ${cascades} AS k ON k.watch = w AND k.place = f.place WHERE f.others <> 0
        UNION ALL SELECT place, ${WAY.noInserts} FROM ${entries('moved', "place INT PATH '$'")} AS m
      ) AS every GROUP BY place) AS one;
  END IF;
  IF NOT acts THEN LEAVE whole; END IF;

  ${save};
  ${set};
  COMMIT;
  SET ran = '';
  OPEN walk;
  steps: LOOP
    SET done = 0;
    FETCH walk INTO at_phase, at_step, at_sub, at_place, counts_as, unless_now, run_now;
    IF done THEN LEAVE steps; END IF;
    IF run_now IS NULL THEN
      SELECT run INTO run_now FROM ${steps}
        WHERE watch = w AND place = at_place AND phase = at_phase AND step = at_step AND sub = at_sub;
    END IF;
    IF at_phase = ${PHASE.byHand} THEN
      SET state = 'by hand';
      LEAVE steps;
    END IF;
    SET @afresh_at = at_step, @afresh_sql = run_now, wanted = 1;
    IF at_phase = ${PHASE.rows} AND NOT is_open THEN
      SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
      START TRANSACTION;
      SET is_open = 1;
    ELSEIF at_phase = ${PHASE.restart} AND is_open THEN
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
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      SET affected = ROW_COUNT();
      SET ran = CONCAT(ran, ',[', at_step, ',', at_place, ',', at_phase, ',', affected, ']');
      IF at_phase <> ${PHASE.rows} THEN SET ddl = ddl + 1; END IF;
      -- What was written here is no news, also where a later step fails.
      IF counts_as = 'inserts' AND affected > 0 THEN
        UPDATE ${seen} SET inserts = inserts + affected WHERE watch = w AND place = at_place;
      ELSEIF counts_as = 'others' AND affected > 0 THEN
        UPDATE ${seen} SET others = others + affected WHERE watch = w AND place = at_place;
      ELSEIF counts_as = 'one' THEN
        UPDATE ${seen} SET inserts = inserts + 1 WHERE watch = w AND place = at_place;
      END IF;
    END IF;
  END LOOP;
  CLOSE walk;
  IF is_open THEN COMMIT; END IF;
  IF state = 'dirty' THEN
    UPDATE ${entries('flagged', "place INT PATH '$[0]', inserts BIGINT PATH '$[2]', others BIGINT PATH '$[3]'")} AS f
      STRAIGHT_JOIN ${seen} AS s ON s.watch = w AND s.place = f.place
      SET s.inserts = s.inserts + f.inserts, s.others = s.others + f.others;
    -- Statements of one's own can be told from others' in the same milliseconds. Rows of system tables cannot: the
    -- next reset looks what they were, where one's own TRUNCATE would not look like somebody else's.
    ${watch.countsStatements ? 'SET now_catalog = now_catalog + ddl;' : `IF ddl > 0 AND NOT is_told THEN SELECT ${watch.catalog} INTO now_catalog FROM ${watch.status}; END IF;`}
    IF now_catalog <> known_catalog THEN UPDATE ${watches} SET written = now_catalog WHERE id = w; END IF;
  END IF;
  ${restore};
  END;
  IF @afresh_sql IS NOT NULL THEN DEALLOCATE PREPARE afresh_step; END IF;
  ${FORGET};
  SELECT state, due, CONCAT('[', SUBSTRING(ran, 2), ']') AS ran;
END`
}
