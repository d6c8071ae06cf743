-- Once a server: the routine that every reset calls

CREATE DEFINER=`root`@`%` PROCEDURE `reset_<digest>`(IN detector_id BIGINT, IN db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, IN acts INT, IN seconds INT)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
  DECLARE state VARCHAR(20) DEFAULT 'dirty';
  DECLARE done, is_open, wanted, recognizes_own_ddl, is_behind INT DEFAULT 0;
  DECLARE faults, now_catalog, known_catalog, affected, ddl, alters BIGINT DEFAULT 0;
  DECLARE known_print VARCHAR(64);
  DECLARE flagged, moved, due, ran, noted, run_now LONGTEXT;
  DECLARE current_phase, current_step, current_sub, current_table INT;
  DECLARE counts_as VARCHAR(10);
  DECLARE unless_now VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE unknown, cascading INT DEFAULT 0;
  -- Without long statements: a temporary table with texts goes to disk.
  DECLARE walk CURSOR FOR
    SELECT s.phase, s.step, s.sub, s.table_index, s.counts, s.unless, s.short_sql
    FROM JSON_TABLE(due, '$[*]' COLUMNS (table_index INT PATH '$[0]', write_kind INT PATH '$[1]')) AS d
    STRAIGHT_JOIN afresh_registry.steps_<digest> AS s ON s.detector = detector_id AND s.table_index = d.table_index AND s.phase < 8 AND s.write_kinds & d.write_kind
    ORDER BY s.phase, s.step, s.sub;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;

  whole: BEGIN
  SET @afresh_long = @@group_concat_max_len, group_concat_max_len = 268435456;
  SET @afresh_wait = @@lock_wait_timeout, lock_wait_timeout = seconds;
  SELECT COALESCE(SUM(IF(variable_name LIKE 'Innodb%', variable_value, 0)), 0), COALESCE(SUM(IF(variable_name LIKE 'Performance%', variable_value, 0)), 0) INTO now_catalog, faults FROM performance_schema.global_status WHERE variable_name IN ('Innodb_system_rows_inserted', 'Innodb_system_rows_updated', 'Innodb_system_rows_deleted', 'Performance_schema_table_handles_lost', 'Performance_schema_table_instances_lost', 'Performance_schema_thread_instances_lost');
  SET faults = faults + COALESCE((SELECT enabled = 'NO' FROM performance_schema.setup_instruments WHERE name = 'wait/io/table/sql/handler' LIMIT 1), 1) + COALESCE((SELECT 1 FROM performance_schema.setup_consumers WHERE name = 'global_instrumentation' AND enabled = 'NO' LIMIT 1), 0) + (SELECT COALESCE(SUM(enabled = 'NO'), 0) + (COALESCE(SUM(object_name = '%' AND enabled = 'YES'), 0) = 0) FROM performance_schema.setup_objects WHERE object_type = 'TABLE' AND object_schema IN ('%', db)) + (SELECT COALESCE(SUM(enabled = 'NO'), 0) + (COALESCE(SUM(host = '%' AND user = '%' AND enabled = 'YES'), 0) = 0) FROM performance_schema.setup_actors WHERE TRUE) + (SELECT COUNT(*) FROM performance_schema.threads WHERE type = 'FOREGROUND' AND processlist_id IS NOT NULL AND instrumented = 'NO');
  SET done = 0;
  SELECT written, print, recognizes_own, announced <> finished INTO known_catalog, known_print, recognizes_own_ddl, is_behind FROM afresh_registry.detectors_<digest> WHERE id = detector_id;
  IF faults > 0 OR done THEN
    SET state = 'unreliable';
    LEAVE whole;
  END IF;
  -- The last call did not come to its end.
  IF is_behind THEN UPDATE afresh_registry.detectors_<digest> SET announced = finished WHERE id = detector_id; END IF;
  IF now_catalog <> known_catalog THEN
    SELECT run INTO @afresh_sql FROM afresh_registry.steps_<digest> WHERE detector = detector_id AND table_index = -1 AND phase = 8;
    PREPARE afresh_step FROM @afresh_sql;
    EXECUTE afresh_step;
    IF NOT (@afresh_print <=> known_print) THEN
      SET state = 'changed';
      LEAVE whole;
    END IF;
    SELECT run INTO @afresh_sql FROM afresh_registry.steps_<digest> WHERE detector = detector_id AND table_index = -1 AND phase = 9;
    PREPARE afresh_step FROM @afresh_sql;
    EXECUTE afresh_step;
  END IF;

  SELECT COALESCE(SUM(s.name IS NULL), 0), COALESCE(SUM(c.count_update + c.count_delete <> s.others), 0),
      JSON_ARRAYAGG(JSON_ARRAY(s.table_index,
        IF(CAST(c.count_insert AS SIGNED) - s.inserts > s.many, 4,
          IF(c.count_insert <> s.inserts, 2, 1)),
        CAST(c.count_insert AS SIGNED) - s.inserts, CAST(c.count_update + c.count_delete AS SIGNED) - s.others))
    INTO unknown, cascading, flagged
    FROM performance_schema.table_io_waits_summary_by_table AS c LEFT JOIN afresh_registry.seen_<digest> AS s ON s.detector = detector_id AND s.name = c.object_name
    WHERE c.object_type = 'TABLE' AND c.object_schema = db AND c.object_name NOT LIKE '#sql%'
      AND c.object_name <> 'afresh_mark'
      AND (s.name IS NULL OR c.count_insert <> s.inserts OR c.count_update + c.count_delete <> s.others);
  IF unknown > 0 THEN
    SET state = 'changed';
    LEAVE whole;
  END IF;
  IF flagged IS NULL AND @afresh_moved IS NULL THEN
    IF now_catalog <> known_catalog THEN UPDATE afresh_registry.detectors_<digest> SET written = now_catalog WHERE id = detector_id; END IF;
    SET state = 'clean';
    LEAVE whole;
  END IF;
  IF cascading = 0 AND @afresh_moved IS NULL THEN
    SET due = flagged;
  ELSE
    SET flagged = COALESCE(flagged, '[]'), moved = COALESCE(CONVERT(@afresh_moved USING utf8mb4), '[]');
    SELECT JSON_ARRAYAGG(JSON_ARRAY(table_index, write_kind)) INTO due FROM (
      SELECT table_index, MAX(write_kind) AS write_kind FROM (
        SELECT table_index, write_kind FROM JSON_TABLE(flagged, '$[*]' COLUMNS (table_index INT PATH '$[0]', write_kind INT PATH '$[1]')) AS f
        UNION ALL SELECT k.child, 1
          FROM JSON_TABLE(flagged, '$[*]' COLUMNS (table_index INT PATH '$[0]', others BIGINT PATH '$[3]')) AS f
          STRAIGHT_JOIN afresh_registry.cascades_<digest> AS k ON k.detector = detector_id AND k.table_index = f.table_index WHERE f.others <> 0
        UNION ALL SELECT table_index, 1 FROM JSON_TABLE(moved, '$[*]' COLUMNS (table_index INT PATH '$')) AS m
      ) AS every GROUP BY table_index) AS one;
  END IF;
  IF NOT acts THEN LEAVE whole; END IF;

  SET @afresh_0 = @@autocommit, @afresh_1 = @@foreign_key_checks, @afresh_2 = @@sql_safe_updates, @afresh_3 = @@sql_big_selects, @afresh_4 = @@time_zone, @afresh_5 = @@innodb_lock_wait_timeout, @afresh_6 = @@lock_wait_timeout, @afresh_7 = @@information_schema_stats_expiry, @afresh_8 = @@max_execution_time;
  SET autocommit = 1, foreign_key_checks = 0, sql_safe_updates = 0, sql_big_selects = 1, time_zone = '+00:00', innodb_lock_wait_timeout = seconds, lock_wait_timeout = seconds, information_schema_stats_expiry = 0, max_execution_time = 0;
  COMMIT;
  SET ran = '', noted = '';
  OPEN walk;
  steps: LOOP
    SET done = 0;
    FETCH walk INTO current_phase, current_step, current_sub, current_table, counts_as, unless_now, run_now;
    IF done THEN LEAVE steps; END IF;
    IF run_now IS NULL THEN
      SELECT run INTO run_now FROM afresh_registry.steps_<digest>
        WHERE detector = detector_id AND table_index = current_table AND phase = current_phase AND step = current_step AND sub = current_sub;
    END IF;
    IF current_phase = 0 THEN
      SET state = 'needs-client';
      LEAVE steps;
    END IF;
    SET @afresh_at = current_step, @afresh_sql = run_now, wanted = 1;
    IF current_phase = 2 AND NOT is_open THEN
      SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
      START TRANSACTION;
      SET is_open = 1;
    ELSEIF current_phase = 3 AND is_open THEN
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
      IF current_phase = 3 THEN
        IF alters = 0 THEN UPDATE afresh_registry.detectors_<digest> SET announced = finished + 1000000 WHERE id = detector_id; END IF;
        SET alters = alters + 1;
      END IF;
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      SET affected = ROW_COUNT();
      SET ran = CONCAT(ran, ',[', current_step, ',', current_table, ',', current_phase, ',', affected, ']');
      IF current_phase <> 2 THEN SET ddl = ddl + 1; END IF;
      -- Kept until the transaction is over: under GTID consistency MEMORY tables may not be written within one.
      IF counts_as IS NOT NULL THEN
        SET noted = CONCAT(noted, ',[', current_table, ',', CASE counts_as WHEN 'inserts' THEN CONCAT(affected, ',0')
          WHEN 'others' THEN CONCAT('0,', affected) ELSE '1,0' END, ']');
      END IF;
    END IF;
  END LOOP;
  CLOSE walk;
  IF is_open THEN COMMIT; END IF;
  IF alters > 0 THEN UPDATE afresh_registry.detectors_<digest> SET announced = finished + alters, finished = finished + alters WHERE id = detector_id; END IF;
  IF state = 'dirty' THEN
    SET noted = CONCAT('[', SUBSTRING(noted, 2), ']');
    UPDATE (SELECT table_index, SUM(inserts) AS inserts, SUM(others) AS others FROM (
        SELECT * FROM JSON_TABLE(flagged, '$[*]' COLUMNS (table_index INT PATH '$[0]', inserts BIGINT PATH '$[2]', others BIGINT PATH '$[3]')) AS f
        UNION ALL SELECT * FROM JSON_TABLE(noted, '$[*]' COLUMNS (table_index INT PATH '$[0]', inserts BIGINT PATH '$[1]', others BIGINT PATH '$[2]')) AS n
      ) AS every GROUP BY table_index) AS f
      STRAIGHT_JOIN afresh_registry.seen_<digest> AS s ON s.detector = detector_id AND s.table_index = f.table_index
      SET s.inserts = s.inserts + f.inserts, s.others = s.others + f.others;
    -- Own statements can be told apart from those of other sessions, rows of system tables cannot: the
    -- next reset inspects them, unless this reset's TRUNCATE can be recognized as its own.
    IF ddl > 0 AND NOT recognizes_own_ddl THEN SELECT COALESCE(SUM(IF(variable_name LIKE 'Innodb%', variable_value, 0)), 0) INTO now_catalog FROM performance_schema.global_status WHERE variable_name IN ('Innodb_system_rows_inserted', 'Innodb_system_rows_updated', 'Innodb_system_rows_deleted', 'Performance_schema_table_handles_lost', 'Performance_schema_table_instances_lost', 'Performance_schema_thread_instances_lost'); END IF;
    IF now_catalog <> known_catalog THEN UPDATE afresh_registry.detectors_<digest> SET written = now_catalog WHERE id = detector_id; END IF;
    -- This reset's TRUNCATE changes the number of a table with baseline rows. One by another session would leave it empty.
    SET @afresh_sql = NULL;
    IF ddl > alters THEN
      SELECT MAX(run) INTO @afresh_sql FROM afresh_registry.steps_<digest> WHERE detector = detector_id AND table_index = -1 AND phase = 10;
    END IF;
    IF @afresh_sql IS NOT NULL THEN
      SET run_now = @afresh_sql;
      SELECT run INTO @afresh_sql FROM afresh_registry.steps_<digest> WHERE detector = detector_id AND table_index = -1 AND phase = 8;
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      SET @afresh_sql = run_now;
      PREPARE afresh_step FROM @afresh_sql;
      EXECUTE afresh_step;
      IF @afresh_is AND SUBSTRING_INDEX(@afresh_print, ':', 2) = SUBSTRING_INDEX(known_print, ':', 2) THEN
        UPDATE afresh_registry.detectors_<digest> SET print = @afresh_print WHERE id = detector_id;
      END IF;
    END IF;
    SET @afresh_sql = run_now;
  END IF;
  SET autocommit = @afresh_0, foreign_key_checks = @afresh_1, sql_safe_updates = @afresh_2, sql_big_selects = @afresh_3, time_zone = @afresh_4, innodb_lock_wait_timeout = @afresh_5, lock_wait_timeout = @afresh_6, information_schema_stats_expiry = @afresh_7, max_execution_time = @afresh_8, @afresh_0 = NULL, @afresh_1 = NULL, @afresh_2 = NULL, @afresh_3 = NULL, @afresh_4 = NULL, @afresh_5 = NULL, @afresh_6 = NULL, @afresh_7 = NULL, @afresh_8 = NULL;
  END;
  IF @afresh_sql IS NOT NULL THEN DEALLOCATE PREPARE afresh_step; END IF;
  SET group_concat_max_len = CAST(COALESCE(@afresh_long, @@group_concat_max_len) AS UNSIGNED),
  lock_wait_timeout = CAST(COALESCE(@afresh_wait, @@lock_wait_timeout) AS UNSIGNED),
  @afresh_at = NULL, @afresh_check = NULL, @afresh_is = NULL, @afresh_long = NULL, @afresh_moved = NULL, @afresh_print = NULL, @afresh_sql = NULL, @afresh_wait = NULL;
  SELECT state, due, CONCAT('[', SUBSTRING(ran, 2), ']') AS ran;
END;


-- Once a session: its steps, by phase

-- phase 1, step 0.0, table 1, after writes of kind 4
TRUNCATE TABLE `<database>`.`books`;

-- phase 2, step 0.0, table 1, after writes of kind 3, counted as others
DELETE FROM `<database>`.`books`;

-- phase 2, step 1.0, table 0, after writes of kind 7, counted as others
DELETE t FROM `<database>`.`authors` AS t LEFT JOIN `<baseline>`.`authors` AS b ON t.`id` = b.`id` WHERE NOT (t.`id` <=> b.`id` AND CAST(t.`name` AS BINARY) <=> CAST(b.`name` AS BINARY));

-- phase 2, step 2.0, table 0, after writes of kind 7, counted as inserts
INSERT INTO `<database>`.`authors` (`id`, `name`) SELECT b.`id`, b.`name` FROM `<baseline>`.`authors` AS b LEFT JOIN `<database>`.`authors` AS t ON t.`id` = b.`id` WHERE t.`id` IS NULL;

-- phase 3, step 3.0, table 0, after writes of kind 7
-- unless SELECT COALESCE(auto_increment, 1) = 3 INTO @afresh_is FROM information_schema.tables
    WHERE table_schema = '<database>' AND table_name = 'authors'
ALTER TABLE `<database>`.`authors` AUTO_INCREMENT = 3;

-- phase 3, step 4.0, table 1, after writes of kind 3
-- unless SELECT COALESCE(auto_increment, 1) = 1 INTO @afresh_is FROM information_schema.tables
    WHERE table_schema = '<database>' AND table_name = 'books'
ALTER TABLE `<database>`.`books` AUTO_INCREMENT = 1;

-- phase 8, step 0.0, table -1, after writes of kind 0
SELECT CONCAT(COUNT(*), ':', COALESCE(SUM(CRC32(CONCAT_WS(' ', name, n_cols, IF(CAST(SUBSTRING_INDEX(name, '#', 1) AS BINARY) IN ('<database>/books'), 0, table_id)))), 0), ':',
      COALESCE(SUM(IF(FALSE, CRC32(CONCAT_WS(' ', name, table_id)), 0)), 0)) INTO @afresh_print
    FROM information_schema.innodb_tables WHERE LEFT(name, 21) = '<database>/' AND name NOT LIKE '%/#sql%' AND name NOT REGEXP '/fts_[0-9a-f]{16}_';

-- phase 9, step 0.0, table -1, after writes of kind 0
SELECT JSON_ARRAYAGG(table_index) INTO @afresh_moved FROM (
      SELECT s.table_index FROM information_schema.innodb_tablestats AS i STRAIGHT_JOIN afresh_registry.seen_<digest> AS s ON s.detector = <detector> AND s.file = i.name
      WHERE s.next IS NOT NULL AND i.autoinc <> s.next AND NOT (i.autoinc = 0 AND s.next = 1)
      UNION ALL SELECT table_index FROM afresh_registry.seen_<digest> WHERE detector = <detector> AND file IS NULL AND next IS NOT NULL) AS m;
