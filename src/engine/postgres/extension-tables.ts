/**
 * Tables that the extension `x` marks as configuration (pg_extension_config_dump) contain the user's rows,
 * unless foreign key actions delete rows of its internal tables along with them. Such an extension keeps
 * metadata there, about relations that a reset leaves unchanged (TimescaleDB: about chunks).
 */
const HAS_USERS_ROWS = `c.oid = ANY (x.extconfig) AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS k WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd')
      AND k.confrelid = ANY (x.extconfig) AND NOT k.conrelid = ANY (x.extconfig)
      AND EXISTS (SELECT FROM pg_catalog.pg_depend AS o WHERE o.classid = 'pg_catalog.pg_class'::regclass AND o.objid = k.conrelid
        AND o.refclassid = 'pg_catalog.pg_extension'::regclass AND o.refobjid = x.oid AND o.deptype = 'e'))`

/** A condition on the relation `c`: it belongs to an extension, and none of its rows are the user's. */
export const FROM_EXTENSION = `(EXISTS (SELECT FROM pg_catalog.pg_depend e
  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
  AND NOT (pg_catalog.pg_has_role(c.relowner, 'USAGE')
    AND EXISTS (SELECT FROM pg_catalog.pg_extension AS x WHERE ${HAS_USERS_ROWS})))`
