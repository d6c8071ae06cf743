/** Rows per page, if not sampled. */
const USUAL_ROWS = 100

/**
 * `afresh_size` returns the size of a partitioned table, whose rows are in its partitions. `afresh_is_large`
 * returns whether TRUNCATE is cheaper. It estimates the row count from the middle page, since rows may have
 * any length and pages may be dead, and from the last page, which is seldom full: where deleting a row is
 * expensive because referencing tables are probed, the break-even point is at two or three pages. Takes some
 * 20 us, and runs only if the size alone does not decide.
 */
export const SIZE_FUNCTIONS = `CREATE FUNCTION pg_temp.afresh_size(relation oid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT sum(pg_catalog.pg_relation_size(p.relid))::bigint
  FROM pg_catalog.pg_partition_tree(relation) AS p WHERE p.isleaf $$;
  CREATE FUNCTION pg_temp.afresh_is_large(relation oid, size bigint, parted boolean, above_rows float8, dead bigint)
  RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE
    pages bigint := size / pg_catalog.current_setting('block_size')::int;
    alive bigint := ${USUAL_ROWS};
    last bigint := ${USUAL_ROWS};
  BEGIN
    IF NOT parted THEN
      EXECUTE pg_catalog.format('SELECT (SELECT count(*) FROM ONLY %1$s WHERE ctid >= ''(%2$s,0)'' AND ctid < ''(%3$s,0)''),
          (SELECT count(*) FROM ONLY %1$s WHERE ctid >= ''(%4$s,0)'')',
        relation::pg_catalog.regclass, (pages - 1) / 2, (pages + 1) / 2, pages - 1) INTO alive, last;
    END IF;
    RETURN (pages - 1) * alive + last > above_rows OR alive = 0 AND size > dead;
  END $$`
