/** Rows on a page, where nobody looks. */
const USUAL_ROWS = 100

/**
 * `afresh_size` is that of the rows of a partitioned table, which are in its partitions. `afresh_is_large` tells whether
 * TRUNCATE is the cheaper way: how many rows there are it takes from the page in the middle, since they may be of any length, and
 * pages may be dead; and from the last page, which is seldom full: where each row is dear, because referrers are probed, the
 * two ways cross at two or three pages. Some 20 us, and only where the size leaves it open.
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
