-- A reset of what was written

SELECT IF(CAST((SELECT mark FROM afresh_registry.marks WHERE database_name = '<database>') AS BINARY) = CAST('afresh:v1:<server>:<database>:made-0123456789abcdef' AS BINARY) AND LOCATE(CAST(CONCAT('afresh:v1:', LEFT(SHA2(CONCAT_WS('|', @@hostname, @@port, @@datadir, @@server_uid), 256), 32), ':<database>:') AS BINARY), CAST('afresh:v1:<server>:<database>:made-0123456789abcdef' AS BINARY)) = 1 AND CAST(DATABASE() AS BINARY) = CAST('<database>' AS BINARY), 1, (SELECT 1 UNION ALL SELECT 2)) AS owned
;
SELECT COALESCE(SUM(altered_finished), 0) AS altered, COALESCE(SUM(uncounted_finished), 0) AS uncounted, COALESCE(SUM(settings_finished), 0) AS settings, COALESCE(SUM(id = <session>), 0) AS present FROM afresh_registry.own_statements_3 WHERE id = <session> OR name <> '<database>'
;
SHOW GLOBAL STATUS WHERE variable_name IN ('Com_alter_sequence', 'Com_alter_table', 'Com_alter_db', 'Com_alter_event', 'Com_alter_function', 'Com_alter_procedure', 'Com_create_event', 'Com_create_function', 'Com_create_index', 'Com_create_package', 'Com_create_package_body', 'Com_create_procedure', 'Com_create_sequence', 'Com_create_table', 'Com_create_trigger', 'Com_create_view', 'Com_drop_event', 'Com_drop_function', 'Com_drop_index', 'Com_drop_package', 'Com_drop_package_body', 'Com_drop_procedure', 'Com_drop_sequence', 'Com_drop_table', 'Com_drop_trigger', 'Com_drop_view', 'Com_import', 'Com_rename_table', 'Com_grant', 'Com_revoke', 'Com_revoke_all', 'Com_drop_role', 'Com_drop_user', 'Com_rename_user', 'Com_lock_tables', 'Com_optimize', 'Com_repair', 'Com_truncate', 'Com_flush', 'Com_set_option')
;
SELECT name, enabled, time_enabled, count, @@GLOBAL.userstat AS counting FROM information_schema.innodb_metrics
     WHERE name IN ('trx_rollbacks_savepoint', 'lock_deadlocks', 'lock_timeouts')
;
SELECT table_name AS name, rows_changed AS changed, rows_inserted AS inserted, BINARY table_schema = '<database>' AS own
     FROM information_schema.table_statistics WHERE rows_changed > 0 AND (BINARY table_schema = '<database>'
       OR (table_schema = 'afresh_registry' AND table_name = 'own_statements_3'));

SELECT table_name AS name, auto_increment AS next, table_rows AS row_count
  FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'VIEW' AND table_name = 'authors';

UPDATE afresh_registry.own_statements_3 SET altered_announced = <number>, altered_finished = <number>, uncounted_announced = <number>, uncounted_finished = <number>, settings_announced = <number>, settings_finished = <number> WHERE id = <session>
;
SET @afresh_0 = @@autocommit, @afresh_1 = @@foreign_key_checks, @afresh_2 = @@sql_mode, @afresh_3 = @@sql_safe_updates, @afresh_4 = @@sql_select_limit, @afresh_5 = @@sql_big_selects, @afresh_6 = @@sql_quote_show_create, @afresh_7 = @@time_zone, @afresh_8 = @@innodb_lock_wait_timeout, @afresh_9 = @@lock_wait_timeout, @afresh_10 = @@character_set_client, @afresh_11 = @@collation_connection, @afresh_12 = @@check_constraint_checks, @afresh_13 = @@max_statement_time
;
SET autocommit = 1, foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', sql_safe_updates = 0, sql_select_limit = 18446744073709551615, sql_big_selects = 1, sql_quote_show_create = 1, time_zone = '+00:00', innodb_lock_wait_timeout = 3, lock_wait_timeout = 3, character_set_client = @@character_set_client, collation_connection = @@collation_connection, check_constraint_checks = 0, max_statement_time = 0
;
SET @afresh_at = 0
;
SELECT IF(CAST((SELECT mark FROM afresh_registry.marks WHERE database_name = '<database>') AS BINARY) = CAST('afresh:v1:<server>:<database>:made-0123456789abcdef' AS BINARY) AND LOCATE(CAST(CONCAT('afresh:v1:', LEFT(SHA2(CONCAT_WS('|', @@hostname, @@port, @@datadir, @@server_uid), 256), 32), ':<database>:') AS BINARY), CAST('afresh:v1:<server>:<database>:made-0123456789abcdef' AS BINARY)) = 1 AND CAST(DATABASE() AS BINARY) = CAST('<database>' AS BINARY), 1, (SELECT 1 UNION ALL SELECT 2)) AS owned
;
SET @afresh_at = 1
;
START TRANSACTION
;
SET @afresh_at = 2
;
DELETE FROM `books`
;
SET @afresh_at = 3
;
DELETE t FROM `authors` AS t LEFT JOIN `<baseline>`.`authors` AS b ON t.`id` = b.`id` WHERE NOT (t.`id` <=> b.`id` AND CAST(t.`name` AS BINARY) <=> CAST(b.`name` AS BINARY))
;
SET @afresh_at = 4
;
INSERT INTO `authors` (`id`, `name`) SELECT b.`id`, b.`name` FROM `<baseline>`.`authors` AS b LEFT JOIN `authors` AS t ON t.`id` = b.`id` WHERE t.`id` IS NULL
;
SET @afresh_at = 5
;
COMMIT
;
SET @afresh_at = 6
;
ALTER TABLE `books` AUTO_INCREMENT = 1
;
SET autocommit = @afresh_0, foreign_key_checks = @afresh_1, sql_mode = @afresh_2, sql_safe_updates = @afresh_3, sql_select_limit = @afresh_4, sql_big_selects = @afresh_5, sql_quote_show_create = @afresh_6, time_zone = @afresh_7, innodb_lock_wait_timeout = @afresh_8, lock_wait_timeout = @afresh_9, character_set_client = @afresh_10, collation_connection = @afresh_11, check_constraint_checks = @afresh_12, max_statement_time = @afresh_13, @afresh_0 = NULL, @afresh_1 = NULL, @afresh_2 = NULL, @afresh_3 = NULL, @afresh_4 = NULL, @afresh_5 = NULL, @afresh_6 = NULL, @afresh_7 = NULL, @afresh_8 = NULL, @afresh_9 = NULL, @afresh_10 = NULL, @afresh_11 = NULL, @afresh_12 = NULL, @afresh_13 = NULL
;
SET @afresh_at = NULL
;
UPDATE afresh_registry.own_statements_3 SET altered_announced = <number>, altered_finished = <number>, uncounted_announced = <number>, uncounted_finished = <number>, settings_announced = <number>, settings_finished = <number> WHERE id = <session>;
