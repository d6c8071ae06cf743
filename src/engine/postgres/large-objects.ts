import { literal } from './quote.ts'

/**
 * The baseline's large objects: a hash of each one that this role owns, and their content if it is small
 * enough.
 */
export const OBJECTS = 'pg_temp.afresh_objects'

/** SQLSTATE: a large object of the baseline was changed or dropped, and cannot be restored. */
export const OBJECT_CHANGED = 'AFR03'

/** A larger total is not copied. */
const KEPT_BYTES = 64 * 1024 * 1024
/** Bytes hashed at a time. */
const CHUNK_BYTES = 16 * 1024 * 1024

// src/include/libpq/libpq-fs.h
const READ = 0x40000
const WRITE = 0x20000

/** An expression: who owns a large object, and who else may use it. */
const RIGHTS = `pg_catalog.concat(m.lomowner, ' ', m.lomacl)`

const HASH_FUNCTION = `CREATE FUNCTION pg_temp.afresh_object(object oid) RETURNS text LANGUAGE plpgsql AS $$ DECLARE
    file int := pg_catalog.lo_open(object, ${READ});
    size bigint := pg_catalog.lo_lseek64(file, 0, 2);
    at bigint := 0;
    hash text := '';
  BEGIN
    PERFORM pg_catalog.lo_close(file);
    WHILE at < size LOOP
      hash := pg_catalog.md5(hash || pg_catalog.md5(pg_catalog.lo_get(object, at, ${CHUNK_BYTES})));
      at := at + ${CHUNK_BYTES};
    END LOOP;
    RETURN pg_catalog.concat(size, ':', hash);
  END $$`

/** Large objects live outside of all tables. Deletes new ones, and restores the content of changed ones. */
const RESTORE_FUNCTION = `CREATE FUNCTION pg_temp.afresh_objects() RETURNS void LANGUAGE plpgsql AS $$ DECLARE
    object record;
    file int;
  BEGIN
    PERFORM pg_catalog.lo_unlink(m.oid) FROM pg_catalog.pg_largeobject_metadata m
      WHERE pg_catalog.pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS (SELECT FROM ${OBJECTS} AS o WHERE o.oid = m.oid);
    FOR object IN SELECT o.*, m.oid IS NOT NULL AS is_there, ${RIGHTS} AS rights_now FROM ${OBJECTS} AS o
        LEFT JOIN pg_catalog.pg_largeobject_metadata AS m ON m.oid = o.oid
      WHERE o.hash IS DISTINCT FROM CASE WHEN m.oid IS NOT NULL AND o.hash IS NOT NULL THEN pg_temp.afresh_object(m.oid) END
        OR o.rights <> ${RIGHTS}
    LOOP
      IF object.content IS NULL OR object.is_there AND object.rights <> object.rights_now OR NOT object.is_there AND NOT object.is_plain THEN
        RAISE EXCEPTION USING ERRCODE = '${OBJECT_CHANGED}',
          MESSAGE = pg_catalog.format(${literal('the large object %s of the baseline was changed, or is gone')}, object.oid);
      END IF;
      IF object.is_there THEN
        file := pg_catalog.lo_open(object.oid, ${WRITE});
        PERFORM pg_catalog.lo_truncate64(file, 0), pg_catalog.lo_close(file);
      ELSE
        PERFORM pg_catalog.lo_create(object.oid);
      END IF;
      PERFORM pg_catalog.lo_put(object.oid, 0, object.content);
    END LOOP;
  END $$`

/** `is_plain`: recreating the object restores it completely. */
export const CAPTURE_OBJECTS = [
  HASH_FUNCTION,
  `CREATE TEMP TABLE afresh_objects AS SELECT m.oid, NULL::bytea AS content, ${RIGHTS} AS rights,
     CASE WHEN pg_catalog.pg_has_role(m.lomowner, 'USAGE') THEN pg_temp.afresh_object(m.oid) END AS hash,
     m.lomacl IS NULL AND m.lomowner = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
       AND pg_catalog.obj_description(m.oid, 'pg_largeobject') IS NULL AS is_plain
   FROM pg_catalog.pg_largeobject_metadata AS m`,
  `UPDATE ${OBJECTS} AS o SET content = pg_catalog.lo_get(o.oid) WHERE o.hash IS NOT NULL
     AND (SELECT sum(pg_catalog.split_part(s.hash, ':', 1)::bigint) FROM ${OBJECTS} AS s) <= ${KEPT_BYTES}`,
  RESTORE_FUNCTION,
]

/** PL/pgSQL. */
export const RESTORE_OBJECTS = 'PERFORM pg_temp.afresh_objects();'

export const DROP_OBJECT_FUNCTIONS = [
  'DROP FUNCTION IF EXISTS pg_temp.afresh_objects()',
  'DROP FUNCTION IF EXISTS pg_temp.afresh_object(oid)',
]

/**
 * An expression for the content of all large objects, as far as this role may read them; the first 64 MiB of
 * each.
 */
export const ALL_OBJECTS = `(SELECT pg_catalog.string_agg(pg_catalog.concat(m.oid, ' ', ${RIGHTS}, ':', pg_catalog.md5(
    CASE WHEN pg_catalog.pg_has_role(m.lomowner, 'USAGE') THEN pg_catalog.lo_get(m.oid, 0, ${KEPT_BYTES}) END)), ' ' ORDER BY m.oid)
  FROM pg_catalog.pg_largeobject_metadata AS m)`
