-- Once a session: the program, all of it in pg_temp

SET LOCAL search_path = pg_catalog, pg_temp;
    SELECT t.tgrelid::text AS id, 'TRIGGER' AS kind, t.tgname AS name, t.tgenabled::text AS state, NULL AS target,
      t.tgtype & 40 <> 0 AS deletes, t.tgtype & 1 = 0 AND t.tgtype & 24 <> 0 AS for_statement, (SELECT pg_catalog.pg_has_role(o.relowner, 'USAGE') FROM pg_catalog.pg_class AS o WHERE o.oid = t.tgrelid) AS owned
    FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled IN ('A', 'R')
    UNION ALL
    SELECT r.ev_class::text, 'RULE', r.rulename, r.ev_enabled::text, NULL, r.ev_type = '4', false, (SELECT pg_catalog.pg_has_role(o.relowner, 'USAGE') FROM pg_catalog.pg_class AS o WHERE o.oid = r.ev_class) AS owned
    FROM pg_catalog.pg_rewrite r WHERE r.ev_type IN ('2', '3', '4') AND r.ev_enabled IN ('A', 'R')
    UNION ALL
    SELECT c.oid::text, 'IDENTITY', '', c.relreplident::text, NULL, true, false, (SELECT pg_catalog.pg_has_role(o.relowner, 'USAGE') FROM pg_catalog.pg_class AS o WHERE o.oid = c.oid) AS owned
    FROM pg_catalog.pg_publication_tables p
    JOIN pg_catalog.pg_publication b ON b.pubname = p.pubname AND (b.pubdelete OR b.pubupdate)
    JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
    WHERE c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisprimary))
    GROUP BY c.oid, c.relreplident
    UNION ALL
    SELECT k.conrelid::text, 'CONSTRAINT', k.conname, pg_catalog.pg_get_constraintdef(k.oid), NULL, false, false, (SELECT pg_catalog.pg_has_role(o.relowner, 'USAGE') FROM pg_catalog.pg_class AS o WHERE o.oid = k.conrelid) AS owned
    FROM pg_catalog.pg_constraint k
    WHERE k.contype IN ('c', 'n') AND k.conrelid <> 0 AND NOT k.convalidated AND k.coninhcount = 0 AND k.conparentid = 0
      AND (k.contype <> 'f' OR coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true')
    UNION ALL
    SELECT a.attrelid::text, 'DOMAIN', k.conname, pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.format_type(y.oid, NULL), false, false,
      pg_catalog.pg_has_role(y.typowner, 'USAGE')
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_type y ON y.oid = k.contypid
    JOIN pg_catalog.pg_attribute a ON a.atttypid = y.oid AND NOT a.attisdropped WHERE NOT k.convalidated;

SET LOCAL search_path = pg_catalog, pg_temp;
  SELECT coalesce(pg_catalog.pg_partition_root(k.conrelid)::oid, k.conrelid)::text AS id, k.conname AS name,
    pg_catalog.format('NOT (%s)', pg_catalog.pg_get_expr(k.conbin, k.conrelid)) AS test
  FROM pg_catalog.pg_constraint AS k
  WHERE k.contype = 'c' AND k.conrelid <> 0 AND k.convalidated AND k.conparentid = 0
    AND (pg_catalog.pg_get_expr(k.conbin, k.conrelid) ~* E'\\m(now|age|timeofday|current_setting|(statement|transaction|clock)_timestamp)\\(|\\m(current_\\w+|localtime|localtimestamp|session_user|user)\\M'
  OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_proc AS p ON p.oid = d.refobjid AND p.provolatile <> 'i'
    WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid
      AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass))
  UNION ALL
  SELECT coalesce(pg_catalog.pg_partition_root(a.attrelid)::oid, a.attrelid)::text, k.conname,
    pg_catalog.format('pg_catalog.num_nulls((%I::%s)::%s) > 1', a.attname,
      pg_catalog.format_type(y.typbasetype, y.typtypmod), pg_catalog.format_type(y.oid, NULL))
  FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_type AS y ON y.oid = k.contypid
  JOIN pg_catalog.pg_attribute AS a ON a.atttypid = y.oid AND NOT a.attisdropped
  WHERE k.contype = 'c' AND k.convalidated AND (pg_catalog.pg_get_constraintdef(k.oid) ~* E'\\m(now|age|timeofday|current_setting|(statement|transaction|clock)_timestamp)\\(|\\m(current_\\w+|localtime|localtimestamp|session_user|user)\\M'
  OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_proc AS p ON p.oid = d.refobjid AND p.provolatile <> 'i'
    WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid
      AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass))
  ORDER BY 1, 2;

SELECT s.reset_val AS path FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) 'search_path';

SET LOCAL search_path = pg_catalog, pg_temp; WITH RECURSIVE checked(id) AS (
  SELECT k.contypid FROM pg_catalog.pg_constraint AS k WHERE k.contypid <> 0 AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid AND d.refobjid >= 16384
    AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))
  UNION SELECT u.id FROM checked AS c CROSS JOIN LATERAL (
    SELECT t.oid AS id FROM pg_catalog.pg_type AS t WHERE t.typelem = c.id OR t.typbasetype = c.id
    UNION ALL SELECT r.reltype FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
      WHERE a.atttypid = c.id AND r.reltype <> 0
    UNION ALL SELECT g.rngtypid FROM pg_catalog.pg_range AS g WHERE g.rngsubtype = c.id
    UNION ALL SELECT g.rngmultitypid FROM pg_catalog.pg_range AS g WHERE g.rngtypid = c.id) AS u) SELECT DISTINCT coalesce(pg_catalog.pg_partition_root(t.id)::oid, t.id)::text AS id FROM (
  SELECT k.conrelid AS id FROM pg_catalog.pg_constraint AS k WHERE k.conrelid <> 0 AND k.contype = 'c' AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid AND d.refobjid >= 16384
    AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))
  UNION ALL SELECT a.attrelid FROM pg_catalog.pg_attribute AS a JOIN checked AS c ON c.id = a.atttypid WHERE NOT a.attisdropped
  UNION ALL SELECT f.adrelid FROM pg_catalog.pg_attrdef AS f JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE a.attgenerated <> '' AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid AND d.refobjid >= 16384
    AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))
  UNION ALL SELECT p.partrelid FROM pg_catalog.pg_partitioned_table AS p WHERE p.partexprs IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = p.partrelid AND d.refobjid >= 16384
    AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))
  UNION ALL SELECT x.indrelid FROM pg_catalog.pg_index AS x WHERE x.indexrelid >= 16384 AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL)
    AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = x.indexrelid AND d.refobjid >= 16384
    AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))) AS t;

SET session_replication_role = replica; SET lock_timeout = 10000; SET statement_timeout = 0; SET default_transaction_read_only = off; SET default_transaction_isolation = 'read committed'; SET row_security = off; SET extra_float_digits = 1; SET datestyle = ISO; SET intervalstyle = postgres; SET bytea_output = hex; SET timezone = UTC; SET xmloption = content; SET array_nulls = on; SET search_path = pg_catalog, pg_temp; SET jit = off; SET plan_cache_mode = force_generic_plan; SET synchronous_commit = off; SET max_parallel_workers_per_gather = 0; SET client_min_messages = warning;

SET LOCAL search_path = pg_catalog, pg_temp; SELECT oid::text, pg_catalog.current_setting('server_version_num')::int AS version
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database();

SELECT pg_catalog.current_setting('is_superuser') = 'on' AS superuser,
    pg_catalog.current_setting('wal_level') AS level, pg_catalog.current_setting('server_version_num')::int AS version;

DROP FUNCTION IF EXISTS pg_temp.afresh_wal(pg_lsn, pg_lsn, boolean); CREATE FUNCTION pg_temp.afresh_wal(IN from_lsn pg_lsn, IN to_lsn pg_lsn, IN show_data boolean,
  OUT start_lsn pg_lsn, OUT end_lsn pg_lsn, OUT prev_lsn pg_lsn, OUT block_id int2, OUT reltablespace oid,
  OUT reldatabase oid, OUT relfilenode oid, OUT relforknumber int2, OUT relblocknumber int8, OUT xid xid,
  OUT resource_manager text, OUT record_type text, OUT record_length int4, OUT main_data_length int4,
  OUT block_data_length int4, OUT block_fpi_length int4, OUT block_fpi_info text[], OUT description text,
  OUT block_data bytea, OUT block_fpi_data bytea)
  RETURNS SETOF record LANGUAGE c STRICT ROWS 100 AS '$libdir/pg_walinspect', 'pg_get_wal_block_info'; SET track_counts = on;

SELECT DISTINCT w.subject::text FROM (SELECT coalesce(p.relid, t.id) AS id, t.id AS subject, t.id = ANY (ARRAY[:authors]::oid[]) AS populated
      FROM unnest(ARRAY[:books, :authors]::oid[]) AS t(id) LEFT JOIN LATERAL pg_catalog.pg_partition_tree(t.id) AS p ON p.isleaf
    UNION ALL SELECT s.id, s.id, false FROM unnest(ARRAY[:authors_id_seq, :books_id_seq]::oid[]) AS s(id)) AS w JOIN pg_catalog.pg_class AS c ON c.oid = w.id
      WHERE c.relpersistence <> 'p';

DEALLOCATE ALL; DROP TABLE IF EXISTS pg_temp.afresh_files; DROP FUNCTION IF EXISTS pg_temp.afresh_reset(text);
  DROP FUNCTION IF EXISTS pg_temp.afresh_find_dirty(text); DROP FUNCTION IF EXISTS pg_temp.afresh_scan();
  DROP FUNCTION IF EXISTS pg_temp.afresh_find_dirty(); DROP FUNCTION IF EXISTS pg_temp.afresh_is_changed();
  DROP FUNCTION IF EXISTS pg_temp.afresh_prepare(text, text);
  DROP FUNCTION IF EXISTS pg_temp.afresh_catalog();
  DROP FUNCTION IF EXISTS pg_temp.afresh_size(oid); DROP FUNCTION IF EXISTS pg_temp.afresh_view(oid, boolean); DROP FUNCTION IF EXISTS pg_temp.afresh_run(text);
  DROP FUNCTION IF EXISTS pg_temp.afresh_is_large(oid, bigint, boolean, float8, bigint);
  DROP FUNCTION IF EXISTS pg_temp.afresh_objects(); DROP FUNCTION IF EXISTS pg_temp.afresh_object(oid); DROP TABLE IF EXISTS pg_temp.afresh_statements, pg_temp.afresh_due, pg_temp.afresh_references, pg_temp.afresh_positions, pg_temp.afresh_leaves, pg_temp.afresh_needs, pg_temp.afresh_rows, pg_temp.afresh_state, pg_temp.afresh_objects, pg_temp.afresh_definitions, pg_temp.afresh_fetched;
CREATE TEMP TABLE afresh_statements (no int, position int, sql text, near text, truncate text, deletes text, above_rows float8, above bigint,
    dead bigint, relation oid, parted boolean, leaf text, leaf_truncate text, leaf_of oid, inserts boolean, moves boolean, prepared oid, PRIMARY KEY (no, position));
CREATE TEMP TABLE afresh_due (subject oid, no int, follows boolean, PRIMARY KEY (subject, no));
CREATE TEMP TABLE afresh_references (parent oid, child oid, PRIMARY KEY (parent, child));
CREATE TEMP TABLE afresh_positions (subject oid PRIMARY KEY, no int, value bigint, called boolean);
CREATE FUNCTION pg_temp.afresh_size(relation oid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT sum(pg_catalog.pg_relation_size(p.relid))::bigint
  FROM pg_catalog.pg_partition_tree(relation) AS p WHERE p.isleaf $$;
  CREATE FUNCTION pg_temp.afresh_is_large(relation oid, size bigint, parted boolean, above_rows float8, dead bigint)
  RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE
    pages bigint := size / pg_catalog.current_setting('block_size')::int;
    alive bigint := 100;
    last bigint := 100;
  BEGIN
    IF NOT parted THEN
      EXECUTE pg_catalog.format('SELECT (SELECT count(*) FROM ONLY %1$s WHERE ctid >= ''(%2$s,0)'' AND ctid < ''(%3$s,0)''),
          (SELECT count(*) FROM ONLY %1$s WHERE ctid >= ''(%4$s,0)'')',
        relation::pg_catalog.regclass, (pages - 1) / 2, (pages + 1) / 2, pages - 1) INTO alive, last;
    END IF;
    RETURN (pages - 1) * alive + last > above_rows OR alive = 0 AND size > dead;
  END $$;
CREATE FUNCTION pg_temp.afresh_prepare(plan text, sql text) RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE
    count int := pg_catalog.current_setting('afresh.prepared')::int;
  BEGIN
    IF count >= 500 THEN
      RETURN false;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_prepared_statement() AS p WHERE p.name = plan) THEN
      EXECUTE pg_catalog.format('PREPARE %I AS %s', plan, sql);
    END IF;
    PERFORM pg_catalog.set_config('afresh.prepared', (count + 1)::text, false);
    RETURN true;
  END $$; SELECT pg_catalog.set_config('afresh.prepared', '0', false);
CREATE FUNCTION pg_temp.afresh_view(view oid, by_content boolean) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE
    result bigint;
  BEGIN
    IF NOT (SELECT c.relispopulated FROM pg_catalog.pg_class AS c WHERE c.oid = view) THEN
      RETURN NULL;
    END IF;
    EXECUTE pg_catalog.format(CASE WHEN by_content
        THEN 'SELECT pg_catalog.hashtextextended(pg_catalog.concat(count(*), '' '', sum(pg_catalog.hashtextextended(afresh_row_of_table::text, 0))), 0) FROM %s AS afresh_row_of_table'
        ELSE 'SELECT pg_catalog.hashtextextended(pg_catalog.concat(count(*), '' '', bit_xor(pg_catalog.hash_record_extended(ROW(tableoid, ctid, xmin), 0))), 0) FROM %s' END,
      view::pg_catalog.regclass) INTO result;
    RETURN result;
  END $$;
CREATE FUNCTION pg_temp.afresh_run(statement text) RETURNS SETOF int LANGUAGE plpgsql SET search_path TO pg_catalog, "$user", public AS $$ DECLARE
    touched bigint;
  BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN QUERY SELECT 1 FROM pg_catalog.generate_series(1, touched);
  END $$;
CREATE TEMP TABLE afresh_rows (table_oid oid, rel oid, filenode oid, row_ctid tid, row_xmin xid, row text COLLATE "C");
CREATE TEMP TABLE afresh_state (table_oid oid PRIMARY KEY, rows bigint, hash bigint, is_new boolean NOT NULL DEFAULT false, deferred boolean NOT NULL DEFAULT false);
CREATE FUNCTION pg_temp.afresh_object(object oid) RETURNS text LANGUAGE plpgsql AS $$ DECLARE
    file int := pg_catalog.lo_open(object, 262144);
    size bigint := pg_catalog.lo_lseek64(file, 0, 2);
    at bigint := 0;
    hash text := '';
  BEGIN
    PERFORM pg_catalog.lo_close(file);
    WHILE at < size LOOP
      hash := pg_catalog.md5(hash || pg_catalog.md5(pg_catalog.lo_get(object, at, 16777216)));
      at := at + 16777216;
    END LOOP;
    RETURN pg_catalog.concat(size, ':', hash);
  END $$;
CREATE TEMP TABLE afresh_objects AS SELECT m.oid, NULL::bytea AS content, pg_catalog.concat(m.lomowner, ' ', m.lomacl) AS rights,
     CASE WHEN pg_catalog.pg_has_role(m.lomowner, 'USAGE') THEN pg_temp.afresh_object(m.oid) END AS hash,
     m.lomacl IS NULL AND m.lomowner = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
       AND pg_catalog.obj_description(m.oid, 'pg_largeobject') IS NULL AS is_plain
   FROM pg_catalog.pg_largeobject_metadata AS m;
UPDATE pg_temp.afresh_objects AS o SET content = pg_catalog.lo_get(o.oid) WHERE o.hash IS NOT NULL
     AND (SELECT sum(pg_catalog.split_part(s.hash, ':', 1)::bigint) FROM pg_temp.afresh_objects AS s) <= 67108864;
CREATE FUNCTION pg_temp.afresh_objects() RETURNS void LANGUAGE plpgsql AS $$ DECLARE
    object record;
    file int;
  BEGIN
    PERFORM pg_catalog.lo_unlink(m.oid) FROM pg_catalog.pg_largeobject_metadata m
      WHERE pg_catalog.pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS (SELECT FROM pg_temp.afresh_objects AS o WHERE o.oid = m.oid);
    FOR object IN SELECT o.*, m.oid IS NOT NULL AS is_there, pg_catalog.concat(m.lomowner, ' ', m.lomacl) AS rights_now FROM pg_temp.afresh_objects AS o
        LEFT JOIN pg_catalog.pg_largeobject_metadata AS m ON m.oid = o.oid
      WHERE o.hash IS DISTINCT FROM CASE WHEN m.oid IS NOT NULL AND o.hash IS NOT NULL THEN pg_temp.afresh_object(m.oid) END
        OR o.rights <> pg_catalog.concat(m.lomowner, ' ', m.lomacl)
    LOOP
      IF object.content IS NULL OR object.is_there AND object.rights <> object.rights_now OR NOT object.is_there AND NOT object.is_plain THEN
        RAISE EXCEPTION USING ERRCODE = 'AFR03',
          MESSAGE = pg_catalog.format('the large object %s of the baseline was changed, or is gone', object.oid);
      END IF;
      IF object.is_there THEN
        file := pg_catalog.lo_open(object.oid, 131072);
        PERFORM pg_catalog.lo_truncate64(file, 0), pg_catalog.lo_close(file);
      ELSE
        PERFORM pg_catalog.lo_create(object.oid);
      END IF;
      PERFORM pg_catalog.lo_put(object.oid, 0, object.content);
    END LOOP;
  END $$;
INSERT INTO pg_temp.afresh_rows (table_oid, rel, filenode, row_ctid, row_xmin, row)
    SELECT :authors, afresh_row_of_table.tableoid, c.relfilenode, afresh_row_of_table.ctid, afresh_row_of_table.xmin, afresh_row_of_table::text COLLATE "C"
    FROM ONLY "public"."authors" AS afresh_row_of_table JOIN pg_catalog.pg_class AS c ON c.oid = afresh_row_of_table.tableoid;
INSERT INTO pg_temp.afresh_state (table_oid, rows, hash) SELECT :authors, count(*), coalesce(bit_xor(pg_catalog.hash_record_extended(ROW(r.rel, r.row_ctid, r.row_xmin), 0)), 0)
    FROM pg_temp.afresh_rows AS r WHERE r.table_oid = :authors;
CREATE INDEX ON pg_temp.afresh_rows (table_oid, rel, row_ctid);
CREATE TEMP TABLE afresh_definitions AS
  SELECT pg_catalog.concat('table ', pg_catalog.format('%I.%I', n.nspname, c.relname)) AS object, c.oid AS relation, c.relkind IN ('v', 'm') AS free, pg_catalog.concat_ws(' ',
      c.oid, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relowner, nullif(c.reloftype, 0),
      (SELECT f.ftoptions::text FROM pg_catalog.pg_foreign_table AS f WHERE f.ftrelid = c.oid),
      pg_catalog.pg_get_partkeydef(c.oid), pg_catalog.pg_get_expr(c.relpartbound, c.oid),
      (SELECT pg_catalog.string_agg(i.inhparent::text, ',' ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid),
      c.reloptions, c.relacl, CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.md5(pg_catalog.pg_get_viewdef(c.oid)) END) AS definition
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'c') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e')
  UNION ALL SELECT pg_catalog.concat('column ', pg_catalog.format('%I.%I', n.nspname, c.relname), '.', pg_catalog.quote_ident(a.attname)), c.oid, false, pg_catalog.concat_ws(' ',
      -- A column that was dropped and added again has another number, and none of the values.
      a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END, CASE WHEN NOT a.attislocal THEN 'inherited' END, nullif(a.attcollation, 0),
      a.attstorage, a.attcompression, a.attstattarget, a.attoptions, a.attfdwoptions,
      CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
      CASE WHEN a.attgenerated <> '' THEN 'generated' WHEN d.oid IS NOT NULL THEN 'default' END, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attacl)
    FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c', 'v', 'm')
  UNION ALL SELECT pg_catalog.concat('constraint ', pg_catalog.quote_ident(k.conname), ' of ', pg_catalog.format('%I.%I', n.nspname, c.relname)), c.oid, false,
      pg_catalog.concat_ws(' ', pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.to_jsonb(k) ->> 'conenforced')
    FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%' WHERE k.contype <> 'n' AND k.conparentid = 0
  UNION ALL SELECT pg_catalog.concat('constraint ', pg_catalog.quote_ident(k.conname), ' of ', pg_catalog.format_type(k.contypid, NULL)), k.contypid, false,
      pg_catalog.pg_get_constraintdef(k.oid)
    FROM pg_catalog.pg_constraint AS k WHERE k.contypid <> 0 AND k.oid >= 16384
  UNION ALL SELECT pg_catalog.concat('index ', pg_catalog.quote_ident(xc.relname), ' of ', pg_catalog.format('%I.%I', n.nspname, c.relname)), c.oid, NOT x.indisunique AND NOT x.indisexclusion,
      pg_catalog.concat_ws(' ', x.indisvalid, CASE WHEN x.indisreplident THEN 'replica identity' END,
        CASE WHEN xc.relispartition THEN pg_catalog.concat_ws(' ', 'of a partition:', xc.relam, x.indisunique, x.indnullsnotdistinct, x.indkey, x.indclass, x.indcollation,
          x.indoption, pg_catalog.md5(x.indexprs::text), pg_catalog.md5(x.indpred::text), xc.reloptions,
          (SELECT pg_catalog.string_agg(o.attoptions::text, ' ' ORDER BY o.attnum) FROM pg_catalog.pg_attribute AS o WHERE o.attrelid = x.indexrelid AND o.attoptions IS NOT NULL)) ELSE pg_catalog.pg_get_indexdef(x.indexrelid) END)
    FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS xc ON xc.oid = x.indexrelid JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
  UNION ALL SELECT pg_catalog.concat('trigger ', pg_catalog.quote_ident(t.tgname), ' of ', pg_catalog.format('%I.%I', n.nspname, c.relname)), c.oid, false,
      pg_catalog.concat_ws(' ', t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid))
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%' WHERE NOT t.tgisinternal OR t.tgenabled <> 'O'
  UNION ALL SELECT pg_catalog.concat('rule ', pg_catalog.quote_ident(r.rulename), ' of ', pg_catalog.format('%I.%I', n.nspname, c.relname)), c.oid, false,
      pg_catalog.concat_ws(' ', r.ev_enabled, pg_catalog.pg_get_ruledef(r.oid))
    FROM pg_catalog.pg_rewrite AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%' WHERE r.ev_type <> '1'
  UNION ALL SELECT pg_catalog.concat('policy ', pg_catalog.quote_ident(p.polname), ' of ', pg_catalog.format('%I.%I', n.nspname, c.relname)), c.oid, false,
      pg_catalog.concat_ws(' ', p.polcmd, p.polpermissive, p.polroles, pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_catalog.pg_policy AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
  UNION ALL SELECT pg_catalog.concat('sequence ', pg_catalog.format('%I.%I', n.nspname, c.relname)), c.oid, true, pg_catalog.concat_ws(' ', c.oid, pg_catalog.format_type(s.seqtypid, NULL),
      'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END,
      c.relpersistence, c.relowner, c.relacl, (SELECT pg_catalog.concat('of ', o.refobjid, ' ', o.refobjsubid) FROM pg_catalog.pg_depend AS o WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid
        AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i')))
    FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
  UNION ALL SELECT pg_catalog.concat('function ', p.oid::pg_catalog.regprocedure), p.oid, true, pg_catalog.md5(pg_catalog.concat_ws(' ', p.proacl, p.proowner, p.pronamespace,
      -- The definitions of an extension's functions, of which there may be hundreds, take too long.
      CASE WHEN p.prokind IN ('f', 'p', 'w') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid AND e.deptype = 'e') THEN pg_catalog.pg_get_functiondef(p.oid)
        ELSE pg_catalog.concat_ws(' ', p.prosrc, p.probin, p.prorettype, p.provolatile, p.proisstrict, p.prosecdef, p.proconfig) END,
      CASE WHEN p.prokind = 'a' THEN (SELECT pg_catalog.to_jsonb(g)::text FROM pg_catalog.pg_aggregate AS g WHERE g.aggfnoid = p.oid) END))
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname !~ '^pg_(toast_)?temp_' WHERE p.oid >= 16384
  UNION ALL SELECT pg_catalog.concat('type ', pg_catalog.format_type(y.oid, NULL)), y.oid, true, pg_catalog.concat_ws(' ', y.typowner,
      CASE WHEN y.typtype = 'd' THEN pg_catalog.format_type(y.typbasetype, y.typtypmod) END, y.typnotnull, y.typdefault, y.typacl,
      (SELECT pg_catalog.string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = y.oid))
    FROM pg_catalog.pg_type AS y JOIN pg_catalog.pg_namespace AS n ON n.oid = y.typnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%' WHERE y.oid >= 16384 AND y.typtype IN ('d', 'e', 'r', 'b') AND y.typcategory <> 'A'
  UNION ALL SELECT pg_catalog.concat('publication ', pg_catalog.quote_ident(b.pubname)), 0, false, pg_catalog.concat_ws(' ',
      b.pubowner, b.puballtables, b.pubinsert, b.pubupdate, b.pubdelete, b.pubtruncate, b.pubviaroot, pg_catalog.to_jsonb(b) ->> 'pubgencols',
      (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', l.prrelid, l.prattrs, pg_catalog.pg_get_expr(l.prqual, l.prrelid)), ',' ORDER BY l.prrelid) FROM pg_catalog.pg_publication_rel AS l WHERE l.prpubid = b.oid),
      (SELECT pg_catalog.string_agg(l.pnnspid::text, ',' ORDER BY l.pnnspid) FROM pg_catalog.pg_publication_namespace AS l WHERE l.pnpubid = b.oid))
    FROM pg_catalog.pg_publication AS b
  UNION ALL SELECT pg_catalog.concat('subscription ', pg_catalog.quote_ident(b.subname)), 0, false,
      pg_catalog.concat_ws(' ', b.subowner, b.subslotname, b.subpublications) FROM pg_catalog.pg_subscription AS b WHERE b.subdbid = (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database())
  UNION ALL SELECT pg_catalog.concat('event trigger ', pg_catalog.quote_ident(v.evtname)), 0, false,
      pg_catalog.concat_ws(' ', v.evtowner, v.evtevent, v.evtenabled, v.evtfoid, v.evttags) FROM pg_catalog.pg_event_trigger AS v
  UNION ALL SELECT pg_catalog.concat('extension ', pg_catalog.quote_ident(x.extname)), x.oid, true, pg_catalog.concat_ws(' ', x.extversion, x.extnamespace, x.extowner) FROM pg_catalog.pg_extension AS x
  UNION ALL SELECT pg_catalog.concat('schema ', pg_catalog.quote_ident(n.nspname)), n.oid, true, pg_catalog.concat_ws(' ', n.nspowner, n.nspacl) FROM pg_catalog.pg_namespace AS n WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
  UNION ALL SELECT pg_catalog.concat('default privileges of ', u.defaclrole::pg_catalog.regrole, ' for ', u.defaclobjtype, ' in ', u.defaclnamespace::pg_catalog.regnamespace),
      0, false, u.defaclacl::text FROM pg_catalog.pg_default_acl AS u
  UNION ALL SELECT pg_catalog.concat('mapping of text search configuration ', m.mapcfg::pg_catalog.regconfig, ' for token ', m.maptokentype), 0, false,
      pg_catalog.string_agg(m.mapdict::text, ',' ORDER BY m.mapseqno) FROM pg_catalog.pg_ts_config_map AS m WHERE m.mapcfg >= 16384 GROUP BY m.mapcfg, m.maptokentype
  UNION ALL SELECT pg_catalog.concat('settings of the database', CASE WHEN g.setrole <> 0 THEN pg_catalog.concat(' for the role ', g.setrole::pg_catalog.regrole) END),
      0, false, g.setconfig::text FROM pg_catalog.pg_db_role_setting AS g WHERE g.setdatabase = (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database())
  UNION ALL SELECT 'database', 0, false, pg_catalog.concat_ws(' ', b.datdba, b.datallowconn, b.datconnlimit, b.datistemplate, b.datacl::text) FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database()
  -- One on an object that is new as well is harmless.
  UNION ALL SELECT pg_catalog.concat('comment on ', pg_catalog.pg_describe_object(d.classoid, d.objoid, d.objsubid)), coalesce(CASE WHEN d.classoid IN ('pg_catalog.pg_publication'::pg_catalog.regclass, 'pg_catalog.pg_subscription'::pg_catalog.regclass, 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, 'pg_catalog.pg_largeobject'::pg_catalog.regclass) THEN 0 END, (SELECT x.conrelid FROM pg_catalog.pg_constraint AS x WHERE d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND x.oid = d.objoid), (SELECT x.tgrelid FROM pg_catalog.pg_trigger AS x WHERE d.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND x.oid = d.objoid), (SELECT x.polrelid FROM pg_catalog.pg_policy AS x WHERE d.classoid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND x.oid = d.objoid), (SELECT x.ev_class FROM pg_catalog.pg_rewrite AS x WHERE d.classoid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND x.oid = d.objoid), d.objoid), false, d.description
    FROM pg_catalog.pg_description AS d WHERE (d.objoid >= 16384 OR d.objoid = 2200) AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
      WHERE c.oid = d.objoid AND c.relpersistence = 't')
  UNION ALL SELECT pg_catalog.concat('language ', l.lanname), l.oid, true, pg_catalog.concat_ws(' ', l.lanowner, l.lanacl, l.lanplcallfoid) FROM pg_catalog.pg_language AS l
  UNION ALL SELECT pg_catalog.concat('user mapping for ', u.usename, ' on ', u.srvname), 0, true, u.umoptions::text FROM pg_catalog.pg_user_mappings AS u
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_operator AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_opclass AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_cast AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_collation AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_conversion AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_ts_config AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_ts_dict AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_statistic_ext AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_foreign_data_wrapper AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_foreign_server AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_opfamily AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_amop AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_amproc AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_am AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_ts_parser AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_ts_template AS o WHERE o.oid >= 16384
  UNION ALL SELECT pg_catalog.pg_describe_object(o.tableoid, o.oid, 0), o.oid, true, pg_catalog.md5(pg_catalog.to_jsonb(o)::text)
    FROM pg_catalog.pg_transform AS o WHERE o.oid >= 16384;
CREATE INDEX ON pg_temp.afresh_definitions (relation);
ANALYZE pg_temp.afresh_definitions;
INSERT INTO pg_temp.afresh_positions VALUES
(:authors_id_seq, 3, 2, true),
(:books_id_seq, 4, 1, false);
INSERT INTO pg_temp.afresh_statements (no, position, sql, near, truncate, deletes, above_rows, above, dead, relation, parted, leaf, leaf_truncate, leaf_of, inserts, moves) VALUES
(0, 0, 'DELETE FROM ONLY "public"."books"', NULL, 'TRUNCATE ONLY "public"."books"', NULL, 3046, 106496, 319488, :books, false, NULL, 'TRUNCATE @afresh leaf@', NULL, false, false),
(1, 0, 'DELETE FROM ONLY "public"."authors" AS afresh_row_of_table WHERE NOT EXISTS (SELECT FROM pg_temp.afresh_rows AS r
    JOIN pg_catalog.pg_class AS c ON c.oid = r.rel AND c.relfilenode = r.filenode
    WHERE r.table_oid = :authors AND r.rel = afresh_row_of_table.tableoid AND r.row_ctid = afresh_row_of_table.ctid AND r.row_xmin = afresh_row_of_table.xmin)', 'DELETE FROM ONLY "public"."authors" AS afresh_row_of_table USING (SELECT extra.* FROM (SELECT DISTINCT (b->>1)::oid AS relation, (b->>2)::bigint AS block
    FROM json_array_elements(pg_catalog.current_setting(''afresh.blocks'')::json) AS b WHERE (b->>0)::oid = :authors) AS b CROSS JOIN LATERAL (
        SELECT a.tableoid AS rel, a.ctid AS row_ctid, a.xmin AS row_xmin FROM ONLY "public"."authors" AS a WHERE a.tableoid = b.relation AND a.ctid >= (''('' || b.block::text || '',0)'')::tid AND a.ctid < (''('' || (b.block + 1)::text || '',0)'')::tid
        EXCEPT SELECT r.rel, r.row_ctid, r.row_xmin FROM pg_temp.afresh_rows AS r WHERE r.table_oid = :authors AND r.rel = b.relation AND r.row_ctid >= (''('' || b.block::text || '',0)'')::tid AND r.row_ctid < (''('' || (b.block + 1)::text || '',0)'')::tid
      ) AS extra OFFSET 0) AS extra WHERE afresh_row_of_table.ctid = extra.row_ctid AND afresh_row_of_table.tableoid = extra.rel', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false),
(2, 0, 'WITH missing AS MATERIALIZED (SELECT m.*, row_number() OVER () AS n FROM (SELECT r.ctid AS id, r.rel, r.row_ctid, r.row_xmin, r.row FROM pg_temp.afresh_rows AS r WHERE r.table_oid = :authors AND NOT EXISTS (SELECT FROM ONLY "public"."authors" AS afresh_row_of_table
    WHERE afresh_row_of_table.tableoid = r.rel AND afresh_row_of_table.ctid = r.row_ctid AND afresh_row_of_table.xmin = r.row_xmin
        AND r.filenode = (SELECT c.relfilenode FROM pg_catalog.pg_class AS c WHERE c.oid = r.rel))) AS m),
    back AS (INSERT INTO "public"."authors" ("id", "name") OVERRIDING SYSTEM VALUE SELECT (r)."id", (r)."name" FROM (SELECT m.n, m.row::"public"."authors" AS r FROM missing AS m OFFSET 0) AS m ORDER BY m.n
      RETURNING tableoid AS rel, ctid AS row_ctid),
    placed AS MATERIALIZED (SELECT b.rel, b.row_ctid, row_number() OVER () AS n FROM back AS b),
    noted AS (UPDATE pg_temp.afresh_rows AS r SET rel = p.rel, filenode = c.relfilenode, row_ctid = p.row_ctid, row_xmin = pg_catalog.pg_current_xact_id()::xid
      FROM missing AS m JOIN placed AS p USING (n) JOIN pg_catalog.pg_class AS c ON c.oid = p.rel WHERE r.ctid = m.id),
    known AS (UPDATE pg_temp.afresh_state AS s SET hash = s.hash
        # (SELECT bit_xor(pg_catalog.hash_record_extended(ROW(m.rel, m.row_ctid, m.row_xmin), 0)) FROM missing AS m)
        # (SELECT bit_xor(pg_catalog.hash_record_extended(ROW(p.rel, p.row_ctid, pg_catalog.pg_current_xact_id()::xid), 0)) FROM placed AS p)
      WHERE s.table_oid = :authors AND EXISTS (SELECT FROM missing))
    SELECT FROM missing', 'WITH missing AS MATERIALIZED (SELECT m.*, row_number() OVER () AS n FROM (SELECT r.* FROM (SELECT DISTINCT (b->>1)::oid AS relation, (b->>2)::bigint AS block
    FROM json_array_elements(pg_catalog.current_setting(''afresh.blocks'')::json) AS b WHERE (b->>0)::oid = :authors) AS b CROSS JOIN LATERAL (SELECT r.ctid AS id, r.rel, r.row_ctid, r.row_xmin, r.row FROM pg_temp.afresh_rows AS r
        WHERE r.table_oid = :authors AND r.rel = b.relation AND r.row_ctid >= (''('' || b.block::text || '',0)'')::tid AND r.row_ctid < (''('' || (b.block + 1)::text || '',0)'')::tid AND NOT EXISTS (SELECT FROM ONLY "public"."authors" AS afresh_row_of_table
    WHERE afresh_row_of_table.tableoid = r.rel AND afresh_row_of_table.ctid = r.row_ctid AND afresh_row_of_table.xmin = r.row_xmin OFFSET 0) OFFSET 0) AS r) AS m),
    back AS (INSERT INTO "public"."authors" ("id", "name") OVERRIDING SYSTEM VALUE SELECT (r)."id", (r)."name" FROM (SELECT m.n, m.row::"public"."authors" AS r FROM missing AS m OFFSET 0) AS m ORDER BY m.n
      RETURNING tableoid AS rel, ctid AS row_ctid),
    placed AS MATERIALIZED (SELECT b.rel, b.row_ctid, row_number() OVER () AS n FROM back AS b),
    noted AS (UPDATE pg_temp.afresh_rows AS r SET rel = p.rel, filenode = c.relfilenode, row_ctid = p.row_ctid, row_xmin = pg_catalog.pg_current_xact_id()::xid
      FROM missing AS m JOIN placed AS p USING (n) JOIN pg_catalog.pg_class AS c ON c.oid = p.rel WHERE r.ctid = m.id),
    known AS (UPDATE pg_temp.afresh_state AS s SET hash = s.hash
        # (SELECT bit_xor(pg_catalog.hash_record_extended(ROW(m.rel, m.row_ctid, m.row_xmin), 0)) FROM missing AS m)
        # (SELECT bit_xor(pg_catalog.hash_record_extended(ROW(p.rel, p.row_ctid, pg_catalog.pg_current_xact_id()::xid), 0)) FROM placed AS p)
      WHERE s.table_oid = :authors AND EXISTS (SELECT FROM missing))
    SELECT FROM missing', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, false);
INSERT INTO pg_temp.afresh_due VALUES
(:books, 0, false),
(:authors, 1, false),
(:authors, 2, false);
DO $$ DECLARE step record; BEGIN
  PERFORM pg_catalog.set_config('afresh.blocks', '[]', false);
  FOR step IN SELECT s.no, coalesce(s.near, s.sql) AS sql, s.near IS NOT NULL AS is_near, c.oid FROM pg_temp.afresh_statements AS s
      JOIN pg_temp.afresh_due AS d ON d.no = s.no JOIN pg_catalog.pg_class AS c ON c.oid = d.subject AND c.relkind = 'r'
    WHERE (s.near IS NOT NULL OR s.sql LIKE 'DELETE FROM %')
      AND NOT EXISTS (SELECT FROM pg_temp.afresh_statements AS o WHERE o.no = s.no AND o.position <> 0)
  LOOP
    EXECUTE pg_catalog.format('PREPARE afresh_%s AS %s', step.no, step.sql);
    EXECUTE pg_catalog.format('EXPLAIN EXECUTE afresh_%s', step.no);
    UPDATE pg_temp.afresh_statements AS s SET prepared = step.oid, sql = CASE WHEN step.is_near THEN s.sql ELSE pg_catalog.concat('EXECUTE afresh_', s.no) END,
      near = CASE WHEN step.is_near THEN pg_catalog.concat('EXECUTE afresh_', s.no) END WHERE s.no = step.no;
  END LOOP;
END $$;
ANALYZE pg_temp.afresh_rows, pg_temp.afresh_state, pg_temp.afresh_statements, pg_temp.afresh_due, pg_temp.afresh_positions;
SELECT pg_catalog.count(pg_catalog.setval(p.subject::pg_catalog.oid::pg_catalog.regclass, p.value, p.called))
  FROM (VALUES
(:authors_id_seq, 2, true),
(:books_id_seq, 1, false)) AS p (subject, value, called);
CREATE FUNCTION pg_temp.afresh_catalog() RETURNS text LANGUAGE plpgsql AS $afresh$BEGIN RETURN (WITH temporary AS MATERIALIZED (SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.relpersistence = 't' OR c.relkind = 't' OR c.relkind IN ('i', 'I')),
  rows(h) AS (
    SELECT pg_catalog.hash_record_extended(ROW(c.oid, c.relname, c.relnamespace, c.relkind, c.relpersistence, c.relnatts, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relowner, c.reloftype, c.reloptions, c.relacl::text), 0)
      FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'p', 'm', 'S', 'v', 'f', 'c', 'i', 'I') AND c.relpersistence <> 't' AND c.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(a.tableoid, a.attrelid, a.attnum, a.xmin), 0) FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = a.attrelid)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(d.tableoid, d.oid, d.xmin), 0) FROM pg_catalog.pg_attrdef AS d
      WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = d.adrelid)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(k.tableoid, k.conrelid, k.conname, CASE WHEN NOT (NOT k.convalidated AND k.contype IN ('c', 'n', 'f')) THEN k.xmin END, CASE WHEN NOT k.convalidated AND k.contype IN ('c', 'n', 'f') THEN coalesce(k.conbin::text, pg_catalog.pg_get_constraintdef(k.oid)) END), 0)
      FROM pg_catalog.pg_constraint AS k WHERE k.oid >= 16384 AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = k.conrelid)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(x.tableoid, x.indexrelid, x.indisunique, x.indisvalid, x.indisready, x.indisexclusion, x.indimmediate, x.indisreplident), 0) FROM pg_catalog.pg_index AS x
      WHERE x.indexrelid >= 16384 AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = x.indrelid)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(g.tableoid, g.oid, g.tgname, g.tgenabled, g.tgfoid, g.tgtype, g.tgargs, g.tgattr::int2[], g.tgqual::text, g.tgdeferrable, g.tginitdeferred), 0) FROM pg_catalog.pg_trigger AS g
      WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = g.tgrelid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.oid = g.tgconstraint AND k.contype = 'f' AND NOT k.convalidated)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(r.tableoid, r.oid, r.rulename, r.ev_enabled, CASE WHEN r.ev_type = '1' THEN r.xmin END, CASE WHEN r.ev_type <> '1' THEN pg_catalog.concat(r.ev_qual, r.ev_action) END), 0) FROM pg_catalog.pg_rewrite AS r WHERE r.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(n.tableoid, n.oid, n.nspname, n.nspowner, n.nspacl::text), 0) FROM pg_catalog.pg_namespace AS n WHERE n.nspname !~ '^pg_'
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(i.tableoid, i.inhrelid, i.inhparent, i.inhdetachpending), 0) FROM pg_catalog.pg_inherits AS i
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(s.tableoid, s.seqrelid, s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle), 0)
      FROM pg_catalog.pg_sequence AS s WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = s.seqrelid)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(s.tableoid, s.seqrelid, o.refobjid, o.refobjsubid), 0) FROM pg_catalog.pg_sequence AS s
      JOIN pg_catalog.pg_depend AS o ON o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = s.seqrelid
        AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i') WHERE NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = s.seqrelid)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW('database'::text, b.datdba, b.datallowconn, b.datconnlimit, b.datistemplate, b.datacl::text), 0) FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database()
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(d.tableoid, d.objoid, d.classoid, d.objsubid, d.xmin), 0) FROM pg_catalog.pg_description AS d
      WHERE (d.objoid >= 16384 OR d.objoid = 2200) AND NOT EXISTS (SELECT FROM temporary AS t WHERE t.oid = d.objoid)
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(l.tableoid, l.oid, l.xmin), 0) FROM pg_catalog.pg_language AS l
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(f.tableoid, f.ftrelid, f.xmin), 0) FROM pg_catalog.pg_foreign_table AS f
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW('user mapping'::text, u.umid, u.srvid, u.umuser, u.umoptions), 0) FROM pg_catalog.pg_user_mappings AS u
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW('subscription'::text, b.oid, b.subname, b.subowner, b.subslotname, b.subpublications), 0) FROM pg_catalog.pg_subscription AS b WHERE b.subdbid = (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database())
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(g.tableoid, g.setrole, g.setconfig), 0) FROM pg_catalog.pg_db_role_setting AS g WHERE g.setdatabase = (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database())
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(m.tableoid, m.mapcfg, m.maptokentype, m.mapseqno, m.mapdict), 0) FROM pg_catalog.pg_ts_config_map AS m
      WHERE m.mapcfg >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(p.tableoid, p.oid, p.xmin), 0) FROM pg_catalog.pg_proc AS p
      WHERE p.oid >= 16384 AND p.pronamespace <> pg_catalog.pg_my_temp_schema()
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(y.tableoid, y.oid, y.xmin), 0) FROM pg_catalog.pg_type AS y WHERE y.oid >= 16384 AND y.typtype IN ('d', 'e', 'r', 'b') AND y.typcategory <> 'A'
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_enum AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_policy AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_publication AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_publication_rel AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_publication_namespace AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_event_trigger AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_extension AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_default_acl AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_operator AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_opclass AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_cast AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_collation AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_conversion AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_ts_config AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_ts_dict AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_statistic_ext AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_foreign_data_wrapper AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_foreign_server AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_opfamily AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_amop AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_amproc AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_am AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_ts_parser AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_ts_template AS o WHERE o.oid >= 16384
    UNION ALL SELECT pg_catalog.hash_record_extended(ROW(o.tableoid, o.oid, o.xmin), 0) FROM pg_catalog.pg_transform AS o WHERE o.oid >= 16384
  )
  SELECT pg_catalog.concat_ws(' ', count(*), bit_xor(h)) FROM rows); END$afresh$;
SELECT pg_catalog.set_config('afresh.catalog', pg_temp.afresh_catalog(), false);
CREATE FUNCTION pg_temp.afresh_is_changed() RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE
    known text[] := pg_catalog.string_to_array(pg_catalog.current_setting('afresh.counts', true), ' ');
    recent int := coalesce(pg_catalog.age(known[1]::xid), 2147483647);
    now record;
  BEGIN
    SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::xid AS horizon,
      pg_catalog.concat(sum(c.rows), '/', (SELECT pg_catalog.bit_xor(r.h) FROM (SELECT pg_catalog.hash_record_extended(ROW('user mapping'::text, u.umid, u.srvid, u.umuser, u.umoptions), 0) FROM pg_catalog.pg_user_mappings AS u UNION ALL SELECT pg_catalog.hash_record_extended(ROW('subscription'::text, b.oid, b.subname, b.subowner, b.subslotname, b.subpublications), 0) FROM pg_catalog.pg_subscription AS b WHERE b.subdbid = (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database())) AS r(h))) AS rows,
      sum(c.added) AS added INTO now
    FROM (SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_class AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_attribute AS o WHERE o.attrelid >= 16384 AND o.attnum > 0
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_attrdef AS o WHERE true
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_constraint AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_index AS o WHERE o.indexrelid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_trigger AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_rewrite AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_namespace AS o WHERE true
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_inherits AS o WHERE true
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_sequence AS o WHERE true
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_depend AS o WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_database AS o WHERE o.datname = pg_catalog.current_database()
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_description AS o WHERE (o.objoid >= 16384 OR o.objoid = 2200)
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_language AS o WHERE true
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_foreign_table AS o WHERE true
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_db_role_setting AS o WHERE o.setdatabase = (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database())
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_ts_config_map AS o WHERE o.mapcfg >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_proc AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_type AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_enum AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_policy AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_publication AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_publication_rel AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_publication_namespace AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_event_trigger AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_extension AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_default_acl AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_operator AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_opclass AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_cast AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_collation AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_conversion AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_ts_config AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_ts_dict AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_statistic_ext AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_foreign_data_wrapper AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_foreign_server AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_opfamily AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_amop AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_amproc AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_am AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_ts_parser AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_ts_template AS o WHERE o.oid >= 16384
    UNION ALL SELECT count(*) AS rows, count(*) FILTER (WHERE pg_catalog.age(o.xmin) <= recent) AS added FROM pg_catalog.pg_transform AS o WHERE o.oid >= 16384) AS c;
    IF now.added = 0 AND now.rows = known[2] THEN
      RETURN false;
    END IF;
    IF pg_temp.afresh_catalog() <> pg_catalog.current_setting('afresh.catalog') THEN
      RETURN true;
    END IF;
    PERFORM pg_catalog.set_config('afresh.counts', pg_catalog.concat_ws(' ', now.horizon, now.rows), false);
    RETURN false;
  END $$;
SELECT pg_catalog.set_config('afresh.counts', '', false);
CREATE FUNCTION pg_temp.afresh_scan() RETURNS oid[] LANGUAGE plpgsql AS $afresh$BEGIN RETURN ARRAY(SELECT :books::oid WHERE EXISTS (SELECT FROM ONLY "public"."books")
UNION ALL SELECT :authors::oid WHERE NOT EXISTS (SELECT FROM (SELECT count(*) AS rows, coalesce(bit_xor(pg_catalog.hash_record_extended(ROW(tableoid, ctid, xmin), 0)), 0) AS hash FROM ONLY "public"."authors") AS v
    JOIN pg_temp.afresh_state AS s ON s.table_oid = :authors AND s.rows = v.rows AND s.hash = v.hash)
UNION ALL SELECT :authors_id_seq::oid FROM "public"."authors_id_seq" WHERE last_value <> 2 OR is_called <> true OR log_cnt <> 0
UNION ALL SELECT :books_id_seq::oid FROM "public"."books_id_seq" WHERE last_value <> 1 OR is_called <> false OR log_cnt <> 0); END$afresh$;
CREATE FUNCTION pg_temp.afresh_find_dirty(OUT filled oid[], OUT leaves oid[]) LANGUAGE plpgsql AS $afresh$DECLARE
    leaf record;
    is_filled boolean;
  BEGIN
    filled := ARRAY(SELECT :books::oid WHERE EXISTS (SELECT FROM ONLY "public"."books")
UNION ALL SELECT :authors::oid WHERE NOT EXISTS (SELECT FROM (SELECT count(*) AS rows, coalesce(bit_xor(pg_catalog.hash_record_extended(ROW(tableoid, ctid, xmin), 0)), 0) AS hash FROM ONLY "public"."authors") AS v
    JOIN pg_temp.afresh_state AS s ON s.table_oid = :authors AND s.rows = v.rows AND s.hash = v.hash)
UNION ALL SELECT :authors_id_seq::oid FROM "public"."authors_id_seq" WHERE last_value <> 2 OR is_called <> true OR log_cnt <> 0
UNION ALL SELECT :books_id_seq::oid FROM "public"."books_id_seq" WHERE last_value <> 1 OR is_called <> false OR log_cnt <> 0);
    leaves := '{}';

  END$afresh$;
CREATE TEMP TABLE afresh_files (filenode oid, relation oid, subject oid, populated boolean);
INSERT INTO pg_temp.afresh_files SELECT pg_catalog.pg_relation_filenode(w.id), w.id, w.subject, w.populated FROM (SELECT coalesce(p.relid, t.id) AS id, t.id AS subject, t.id = ANY (ARRAY[:authors]::oid[]) AS populated
      FROM unnest(ARRAY[:books, :authors]::oid[]) AS t(id) LEFT JOIN LATERAL pg_catalog.pg_partition_tree(t.id) AS p ON p.isleaf
    UNION ALL SELECT s.id, s.id, false FROM unnest(ARRAY[:authors_id_seq, :books_id_seq]::oid[]) AS s(id)
      UNION ALL SELECT ('pg_catalog.' || c.name)::regclass, 1, false
        FROM unnest(ARRAY['pg_class', 'pg_attribute', 'pg_attrdef', 'pg_constraint', 'pg_index', 'pg_trigger', 'pg_rewrite', 'pg_namespace', 'pg_inherits', 'pg_sequence', 'pg_depend', 'pg_database', 'pg_description', 'pg_language', 'pg_foreign_table', 'pg_user_mapping', 'pg_subscription', 'pg_db_role_setting', 'pg_ts_config_map', 'pg_proc', 'pg_type', 'pg_enum', 'pg_policy', 'pg_publication', 'pg_publication_rel', 'pg_publication_namespace', 'pg_event_trigger', 'pg_extension', 'pg_default_acl', 'pg_operator', 'pg_opclass', 'pg_cast', 'pg_collation', 'pg_conversion', 'pg_ts_config', 'pg_ts_dict', 'pg_statistic_ext', 'pg_foreign_data_wrapper', 'pg_foreign_server', 'pg_opfamily', 'pg_amop', 'pg_amproc', 'pg_am', 'pg_ts_parser', 'pg_ts_template', 'pg_transform']) AS c(name)
      UNION ALL SELECT o.id, 2, false
        FROM unnest(ARRAY['pg_catalog.pg_largeobject_metadata', 'pg_catalog.pg_largeobject']::regclass[]) AS o(id)) AS w;
CREATE INDEX ON pg_temp.afresh_files (filenode);
ANALYZE pg_temp.afresh_files;
SELECT pg_catalog.set_config('afresh.since', '', false), pg_catalog.set_config('afresh.own', '0', false);
DO $$ DECLARE began timestamptz; best double precision := 'infinity'; BEGIN
  FOR i IN 1 .. 3 LOOP
    began := pg_catalog.clock_timestamp();
    PERFORM pg_temp.afresh_find_dirty();
    best := least(best, extract(epoch FROM pg_catalog.clock_timestamp() - began) * 3e8);
    EXIT WHEN i = 2 AND best > 9000000;
  END LOOP;
  PERFORM pg_catalog.set_config('afresh.break_even_bytes', greatest(best, 4096)::bigint::text, false);
END $$; SELECT pg_catalog.current_setting('afresh.break_even_bytes') AS break_even_bytes;

CREATE FUNCTION pg_temp.afresh_find_dirty(IN forced text, OUT touched oid[], OUT reason text) LANGUAGE plpgsql AS $afresh$DECLARE
  since pg_lsn := nullif(pg_catalog.current_setting('afresh.since', true), '')::pg_lsn;
  before xid8;
  upto pg_lsn;
  writing boolean;
  waited boolean;
  special oid;
  blocks json;
  rewritten oid[];
  leaves oid[];
  stale boolean;
  moved boolean;
  objects boolean;
  held record; BEGIN
  LOOP
    before := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot());
    upto := pg_catalog.pg_current_wal_insert_lsn();
    IF upto > pg_catalog.pg_current_wal_flush_lsn() THEN
      upto := pg_catalog.pg_logical_emit_message(false, '', '', true);
    END IF;
    reason := CASE WHEN forced = 'scan' THEN 'asked' WHEN forced = 'lost' THEN 'lost' WHEN since IS NULL THEN 'first'
       WHEN forced = 'auto' AND upto > since + :break_even_bytes THEN 'long' END;
    IF reason IS NULL AND upto > since THEN
      SELECT array_agg(DISTINCT f.subject), min(f.subject), json_agg(json_build_array(f.subject, f.relation, x.block)) FILTER (WHERE f.populated)
        INTO touched, special, blocks
        FROM (SELECT b.relfilenode AS filenode, b.relblocknumber AS block
          FROM pg_temp.afresh_wal(since, upto, false) AS b WHERE b.relforknumber = 0 AND b.reldatabase IN (:database, 0)
            AND CASE b.xid WHEN '0' THEN b.resource_manager = 'Sequence'
              ELSE b.xid <> pg_catalog.current_setting('afresh.own')::xid END AND b.record_type <> ALL ('{LOCK,LOCK_UPDATED,INPLACE,FPI_FOR_HINT,VISIBLE,FREEZE_PAGE,PRUNE,PRUNE_ON_ACCESS,PRUNE_VACUUM_SCAN,PRUNE_VACUUM_CLEANUP,VACUUM}')
          GROUP BY 1, 2 OFFSET 0) AS x
        JOIN pg_temp.afresh_files AS f ON f.filenode = x.filenode;
    ELSIF reason IS NULL THEN
      RETURN;
    END IF;
    IF reason IS NOT NULL OR touched IS NOT NULL THEN
      writing := waited IS TRUE OR before <> pg_catalog.pg_current_xact_id();
      IF writing THEN
        writing := (EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) AS a
  WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_xid IS NOT NULL
    AND a.usesysid IS NOT NULL) OR EXISTS (SELECT FROM pg_catalog.pg_prepared_xact() AS x
  WHERE x.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())));
      END IF;
    END IF;
    EXIT WHEN waited OR writing IS NOT TRUE;
    waited := true;

    FOR held IN SELECT DISTINCT l.relation::pg_catalog.regclass AS name
      FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
      WHERE l.locktype = 'relation' AND c.relkind IN ('r', 'p') AND c.oid >= 16384 AND l.granted
        AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        AND l.pid IN (SELECT a.pid FROM pg_catalog.pg_stat_get_activity(NULL) AS a
  WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_xid IS NOT NULL
    AND a.usesysid IS NOT NULL)
    LOOP
      EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN SHARE MODE', held.name);
    END LOOP;
    PERFORM pg_catalog.pg_stat_clear_snapshot();
  END LOOP;
  IF reason IS NOT NULL THEN
    objects := true;
    moved := true;
  ELSIF special <= 2 THEN
    objects := true;
    moved := special = 1;
  END IF;

  IF moved THEN
    stale := CASE WHEN reason IS NULL OR reason = 'asked' THEN pg_temp.afresh_catalog() <> pg_catalog.current_setting('afresh.catalog') ELSE pg_temp.afresh_is_changed() END;
    IF reason IS NOT NULL AND NOT stale AND reason <> 'asked' THEN
      SELECT l.filled, l.leaves INTO touched, leaves FROM pg_temp.afresh_find_dirty() AS l;
    ELSIF reason IS NOT NULL THEN
      -- Rows of a partition that the plan does not know are found by a full scan only.
      touched := pg_temp.afresh_scan();
      leaves := NULL;
    END IF;
    IF reason IS NULL THEN
      rewritten := ARRAY(SELECT DISTINCT f.subject FROM pg_temp.afresh_files AS f
      WHERE f.subject > 2 AND f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation));
      IF stale OR cardinality(rewritten) > 0 THEN
        blocks := NULL;
      END IF;
      IF stale THEN
        reason := 'changed';
        leaves := NULL;
        touched := pg_temp.afresh_scan();
      ELSE
        touched := touched || rewritten;
      END IF;
    END IF;
  END IF; END$afresh$;
CREATE FUNCTION pg_temp.afresh_reset(forced text) RETURNS json LANGUAGE plpgsql AS $afresh$
DECLARE
  reason text;
  touched oid[];
  since pg_lsn := nullif(pg_catalog.current_setting('afresh.since', true), '')::pg_lsn;
  before xid8;
  upto pg_lsn;
  writing boolean;
  waited boolean;
  special oid;
  blocks json;
  rewritten oid[];
  leaves oid[];
  stale boolean;
  moved boolean;
  objects boolean;
  held record;
  step record;
  is_near boolean;
  is_full boolean;
  referring oid[];
  count bigint;
  skipped pg_lsn;
  ran text := '';
BEGIN

  LOOP
    before := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot());
    upto := pg_catalog.pg_current_wal_insert_lsn();
    IF upto > pg_catalog.pg_current_wal_flush_lsn() THEN
      upto := pg_catalog.pg_logical_emit_message(false, '', '', true);
    END IF;
    reason := CASE WHEN forced = 'scan' THEN 'asked' WHEN forced = 'lost' THEN 'lost' WHEN since IS NULL THEN 'first'
       WHEN forced = 'auto' AND upto > since + :break_even_bytes THEN 'long' END;
    IF reason IS NULL AND upto > since THEN
      SELECT array_agg(DISTINCT f.subject), min(f.subject), json_agg(json_build_array(f.subject, f.relation, x.block)) FILTER (WHERE f.populated)
        INTO touched, special, blocks
        FROM (SELECT b.relfilenode AS filenode, b.relblocknumber AS block
          FROM pg_temp.afresh_wal(since, upto, false) AS b WHERE b.relforknumber = 0 AND b.reldatabase IN (:database, 0)
            AND CASE b.xid WHEN '0' THEN b.resource_manager = 'Sequence'
              ELSE b.xid <> pg_catalog.current_setting('afresh.own')::xid END AND b.record_type <> ALL ('{LOCK,LOCK_UPDATED,INPLACE,FPI_FOR_HINT,VISIBLE,FREEZE_PAGE,PRUNE,PRUNE_ON_ACCESS,PRUNE_VACUUM_SCAN,PRUNE_VACUUM_CLEANUP,VACUUM}')
          GROUP BY 1, 2 OFFSET 0) AS x
        JOIN pg_temp.afresh_files AS f ON f.filenode = x.filenode;
    ELSIF reason IS NULL THEN
      RETURN NULL;
    END IF;
    IF reason IS NOT NULL OR touched IS NOT NULL THEN
      writing := waited IS TRUE OR before <> pg_catalog.pg_current_xact_id();
      IF writing THEN
        writing := (EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) AS a
  WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_xid IS NOT NULL
    AND a.usesysid IS NOT NULL) OR EXISTS (SELECT FROM pg_catalog.pg_prepared_xact() AS x
  WHERE x.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())));
      END IF;
    END IF;
    EXIT WHEN waited OR writing IS NOT TRUE;
    waited := true;

    FOR held IN SELECT DISTINCT l.relation::pg_catalog.regclass AS name
      FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
      WHERE l.locktype = 'relation' AND c.relkind IN ('r', 'p') AND c.oid >= 16384 AND l.granted
        AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        AND l.pid IN (SELECT a.pid FROM pg_catalog.pg_stat_get_activity(NULL) AS a
  WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_xid IS NOT NULL
    AND a.usesysid IS NOT NULL)
    LOOP
      EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN SHARE MODE', held.name);
    END LOOP;
    PERFORM pg_catalog.pg_stat_clear_snapshot();
  END LOOP;
  IF reason IS NOT NULL THEN
    objects := true;
    moved := true;
  ELSIF special <= 2 THEN
    objects := true;
    moved := special = 1;
  END IF;

  IF moved THEN
    stale := CASE WHEN reason IS NULL OR reason = 'asked' THEN pg_temp.afresh_catalog() <> pg_catalog.current_setting('afresh.catalog') ELSE pg_temp.afresh_is_changed() END;
    IF reason IS NOT NULL AND NOT stale AND reason <> 'asked' THEN
      SELECT l.filled, l.leaves INTO touched, leaves FROM pg_temp.afresh_find_dirty() AS l;
    ELSIF reason IS NOT NULL THEN
      -- Rows of a partition that the plan does not know are found by a full scan only.
      touched := pg_temp.afresh_scan();
      leaves := NULL;
    END IF;
    IF reason IS NULL THEN
      rewritten := ARRAY(SELECT DISTINCT f.subject FROM pg_temp.afresh_files AS f
      WHERE f.subject > 2 AND f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation));
      IF stale OR cardinality(rewritten) > 0 THEN
        blocks := NULL;
      END IF;
      IF stale THEN
        reason := 'changed';
        leaves := NULL;
        touched := pg_temp.afresh_scan();
      ELSE
        touched := touched || rewritten;
      END IF;
    END IF;
  END IF;
  IF reason IS NOT NULL THEN
    touched := touched || ARRAY(SELECT DISTINCT f.subject FROM pg_temp.afresh_files AS f
      WHERE f.populated AND f.subject <> ALL (touched) AND f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation));
  END IF;
  IF cardinality(touched) > 0 THEN

    is_full := pg_catalog.current_setting('afresh.full', true) = 'on';
    IF reason IS NULL AND json_array_length(blocks) <= 64 THEN
      is_near := true;
      PERFORM pg_catalog.set_config('afresh.blocks', blocks::text, true);
    END IF;
    FOR step IN SELECT s.*,
        CASE WHEN z.size > s.above AND is_full IS NOT TRUE THEN pg_temp.afresh_is_large(s.relation, z.size, s.parted, s.above_rows, s.dead) END AS by_truncate,
        CASE WHEN s.inserts THEN pg_catalog.pg_stat_get_xact_tuples_inserted(s.prepared)
          ELSE pg_catalog.pg_stat_get_xact_tuples_deleted(s.prepared) END AS changes
      FROM pg_temp.afresh_due AS d JOIN pg_temp.afresh_statements AS s ON s.no = d.no
      CROSS JOIN LATERAL (SELECT CASE WHEN s.parted THEN pg_temp.afresh_size(s.relation)
        ELSE pg_catalog.pg_relation_size(s.relation) END AS size) AS z
      WHERE d.subject = ANY (touched) ORDER BY s.no, s.position
    LOOP
      EXECUTE CASE WHEN step.by_truncate THEN step.truncate WHEN is_full AND step.deletes IS NOT NULL THEN step.deletes WHEN is_near THEN coalesce(step.near, step.sql) ELSE step.sql END;
      GET DIAGNOSTICS count = ROW_COUNT;
      ran := pg_catalog.concat(ran, ',[', step.no, ',', step.position, ',', coalesce(step.by_truncate, false)::text, ',',
        coalesce(CASE WHEN step.inserts THEN pg_catalog.pg_stat_get_xact_tuples_inserted(step.prepared)
          ELSE pg_catalog.pg_stat_get_xact_tuples_deleted(step.prepared) END - step.changes, count), ']');
      moved := moved OR step.moves OR step.by_truncate;
    END LOOP;
  END IF;
  IF objects THEN
    PERFORM pg_temp.afresh_objects();
  END IF;
  IF moved THEN
    UPDATE pg_temp.afresh_files AS f SET filenode = pg_catalog.pg_relation_filenode(f.relation)
    WHERE f.filenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(f.relation)
      AND (reason IS NOT NULL OR f.subject = ANY (touched) OR f.subject <= 2 OR EXISTS (
        SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = f.relation AND c.xmin = pg_catalog.pg_current_xact_id()::xid));
  END IF;
  IF pg_catalog.pg_current_wal_insert_lsn() - upto > 4096 AND writing IS NOT TRUE THEN
    skipped := pg_catalog.pg_current_wal_insert_lsn();
    PERFORM pg_catalog.pg_stat_clear_snapshot();
    -- All earlier transactions had ended before. In this order, and as two statements, since the snapshot is the statement's:
    -- a later one that was at it is seen at work, or has ended by then, which none has.
    IF before = pg_catalog.pg_current_xact_id() AND NOT (EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) AS a
  WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_xid IS NOT NULL
    AND a.usesysid IS NOT NULL) OR EXISTS (SELECT FROM pg_catalog.pg_prepared_xact() AS x
  WHERE x.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))) THEN
      IF pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) = pg_catalog.pg_current_xact_id() THEN
        upto := skipped;
      END IF;
    END IF;
  END IF;
  RETURN json_build_object('reason', reason, 'dirty', touched::text[], 'ran', ran, 'stale', stale, 'writing', writing,
    'restarted', (SELECT array_agg(p.no) FROM (SELECT p.no, pg_catalog.setval(p.subject, p.value, p.called)
      FROM pg_temp.afresh_positions AS p WHERE p.subject = ANY (touched) OFFSET 0) AS p), 'bytes', upto - since, 'since', pg_catalog.set_config('afresh.since', CASE WHEN writing OR stale THEN since ELSE upto END::text, false),
    'own', pg_catalog.set_config('afresh.own', coalesce(pg_catalog.pg_current_xact_id_if_assigned()::xid::text, '0'), false));
END$afresh$;


-- Every reset

SELECT pg_temp.afresh_reset('auto') AS outcome;
