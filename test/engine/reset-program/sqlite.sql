-- Once a session

PRAGMA query_only;

PRAGMA busy_timeout;

PRAGMA busy_timeout = 0;

BEGIN EXCLUSIVE;

PRAGMA busy_timeout = 5000;

CREATE TABLE temp."afresh:baseline:1:authors" (k INTEGER PRIMARY KEY, c0, c1);

INSERT INTO temp."afresh:baseline:1:authors" (k, c0, c1) SELECT m.rowid, m."id", m."name" FROM main."authors" AS m;

SELECT 0 AS ordinal WHERE EXISTS (SELECT 1 FROM main."books")
UNION ALL SELECT 1 AS ordinal WHERE (SELECT count(*) FROM main."authors") <> 2 OR EXISTS (SELECT 1 FROM main."authors" AS m WHERE NOT EXISTS (SELECT 1 FROM temp."afresh:baseline:1:authors" AS b WHERE b.k = m.rowid AND (b.c0, b.c1) IS (+m."id", +m."name") AND (typeof(b.c0), typeof(b.c1)) = (typeof(m."id"), typeof(m."name"))));

SELECT type || ' ' || name AS object, sql FROM main.sqlite_master
    WHERE name NOT LIKE 'sqlite\_stat%' ESCAPE '\';

SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence';

SELECT total_changes() AS value;

PRAGMA main.data_version;

PRAGMA main.schema_version;

SELECT group_concat(quote(name) || quote(seq)) AS value FROM main.sqlite_sequence;

PRAGMA main.schema_version;

SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence';

SELECT name, CAST(seq AS INTEGER) AS seq FROM main.sqlite_sequence ORDER BY rowid DESC;

PRAGMA main.schema_version;

SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence';

SELECT name, CAST(seq AS INTEGER) AS seq FROM main.sqlite_sequence ORDER BY rowid DESC;

PRAGMA main.schema_version;

COMMIT;

PRAGMA temp.schema_version;

PRAGMA main.user_version;

PRAGMA main.application_id;

PRAGMA main.foreign_keys;

PRAGMA main.ignore_check_constraints;

PRAGMA main.recursive_triggers;

PRAGMA main.writable_schema;

PRAGMA main.reverse_unordered_selects;

PRAGMA main.full_column_names;

PRAGMA main.short_column_names;

PRAGMA main.trusted_schema;

PRAGMA main.read_uncommitted;

PRAGMA main.legacy_alter_table;

PRAGMA main.max_page_count;

SELECT NOT ('a' LIKE 'A');

SELECT type, name, sql FROM temp.sqlite_master
    WHERE name NOT LIKE 'afresh:%' AND tbl_name NOT LIKE 'afresh:%' AND sql IS NOT NULL ORDER BY rowid;


-- A reset

PRAGMA query_only = OFF;

PRAGMA busy_timeout;

PRAGMA busy_timeout = 0;

BEGIN IMMEDIATE;

PRAGMA busy_timeout = 5000;

PRAGMA main.schema_version;

SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence';

SELECT name, CAST(seq AS INTEGER) AS seq FROM main.sqlite_sequence ORDER BY rowid DESC;

ROLLBACK;

PRAGMA foreign_keys;

PRAGMA foreign_keys = OFF;

PRAGMA busy_timeout;

PRAGMA busy_timeout = 0;

BEGIN EXCLUSIVE;

PRAGMA busy_timeout = 5000;

SELECT name, tbl_name, sql FROM temp.sqlite_master WHERE type = 'trigger' ORDER BY rowid;

DELETE FROM main."books";

DELETE FROM main."authors" AS m WHERE NOT EXISTS (SELECT 1 FROM temp."afresh:baseline:1:authors" AS b WHERE b.k = m.rowid AND (b.c0, b.c1) IS (+m."id", +m."name") AND (typeof(b.c0), typeof(b.c1)) = (typeof(m."id"), typeof(m."name")));

INSERT INTO main."authors" (rowid, "id", "name") SELECT b.k, b.c0, b.c1 FROM temp."afresh:baseline:1:authors" AS b WHERE b.k NOT IN (SELECT m.rowid FROM main."authors" AS m);

SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence';

SELECT name, CAST(seq AS INTEGER) AS seq FROM main.sqlite_sequence ORDER BY rowid DESC;

DELETE FROM main.sqlite_sequence WHERE name = 'books';

PRAGMA main.schema_version;

COMMIT;

PRAGMA foreign_keys = ON;

SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp');
