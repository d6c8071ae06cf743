import { DEFINITIONS } from './definitions-table.ts'

/**
 * A new object changes the meaning of statements that do not name it: a table or type that comes first in the
 * `search_path`, an overload of a function or operator, a cast between types that were there before.
 */

/** A condition: the types `a` and `b` are of one category, so that an argument may be taken for either. */
const ALIKE = (these: string, those: string) => `NOT EXISTS (SELECT FROM unnest(${these}, ${those}) AS u(a, b)
      JOIN pg_catalog.pg_type AS a ON a.oid = u.a JOIN pg_catalog.pg_type AS b ON b.oid = u.b
      WHERE a.typcategory <> b.typcategory AND a.typcategory <> 'P' AND b.typcategory <> 'P')`

const WAS_THERE = (oid: string) =>
  `(${oid} < 16384 OR EXISTS (SELECT FROM ${DEFINITIONS} AS k WHERE k.relation = ${oid}))`

const NO_NEW_TYPE = (types: string) => `NOT EXISTS (SELECT FROM new_types AS t WHERE t.oid = ANY (${types}))`

/**
 * Common table expressions over `added(oid)`; `shadowing(oid)` has those that change what other statements
 * mean. `path` is what the role's sessions begin with.
 */
export const SHADOWING = `path(schema, ordinal) AS MATERIALIZED (
    SELECT 'pg_catalog'::pg_catalog.regnamespace::oid, 0::bigint
    UNION ALL SELECT n.oid, p.ordinal FROM pg_catalog.pg_settings AS s
      CROSS JOIN LATERAL pg_catalog.regexp_matches(s.reset_val, '"(?:[^"]|"")*"|[^\\s,"]+', 'g') WITH ORDINALITY AS p(found, ordinal)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = CASE WHEN p.found[1] IN ('$user', '"$user"') THEN current_user
        ELSE pg_catalog.replace(pg_catalog.btrim(CASE WHEN p.found[1] LIKE '"%' THEN p.found[1] ELSE pg_catalog.lower(p.found[1]) END, '"'), '""', '"') END
      WHERE s.name = 'search_path'),
  new_types AS MATERIALIZED (
    SELECT y.oid FROM pg_catalog.pg_type AS y LEFT JOIN pg_catalog.pg_type AS e ON e.oid = y.typelem
    WHERE y.oid >= 16384 AND NOT EXISTS (SELECT FROM ${DEFINITIONS} AS k
      WHERE k.relation <> 0 AND k.relation IN (y.oid, y.typrelid, e.oid, e.typrelid))),
  shadowing AS MATERIALIZED (
    SELECT x.oid FROM added AS n JOIN pg_catalog.pg_class AS x ON x.oid = n.oid JOIN path AS px ON px.schema = x.relnamespace
      JOIN pg_catalog.pg_class AS y ON y.relname = x.relname AND ${WAS_THERE('y.oid')}
      JOIN path AS py ON py.schema = y.relnamespace AND py.ordinal > px.ordinal
    UNION ALL SELECT x.oid FROM added AS n JOIN pg_catalog.pg_type AS x ON x.oid = n.oid JOIN path AS px ON px.schema = x.typnamespace
      JOIN pg_catalog.pg_type AS y ON y.typname = x.typname AND NOT EXISTS (SELECT FROM new_types AS t WHERE t.oid = y.oid)
      JOIN path AS py ON py.schema = y.typnamespace AND py.ordinal > px.ordinal
    UNION ALL SELECT x.oid FROM added AS n JOIN pg_catalog.pg_proc AS x ON x.oid = n.oid JOIN path AS px ON px.schema = x.pronamespace
      JOIN pg_catalog.pg_proc AS y ON y.proname = x.proname AND y.oid <> x.oid AND ${WAS_THERE('y.oid')}
      JOIN path AS py ON py.schema = y.pronamespace
      WHERE ${NO_NEW_TYPE('x.proargtypes')} AND CASE WHEN y.proargtypes = x.proargtypes THEN py.ordinal > px.ordinal
        ELSE (x.provariadic <> 0 OR y.provariadic <> 0 OR x.pronargs - x.pronargdefaults <= y.pronargs AND y.pronargs - y.pronargdefaults <= x.pronargs)
          AND ${ALIKE('x.proargtypes::oid[]', 'y.proargtypes::oid[]')} END
    UNION ALL SELECT x.oid FROM added AS n JOIN pg_catalog.pg_operator AS x ON x.oid = n.oid JOIN path AS px ON px.schema = x.oprnamespace
      JOIN pg_catalog.pg_operator AS y ON y.oprname = x.oprname AND y.oid <> x.oid AND (y.oprleft = 0) = (x.oprleft = 0) AND ${WAS_THERE('y.oid')}
      JOIN path AS py ON py.schema = y.oprnamespace
      WHERE ${NO_NEW_TYPE('ARRAY[x.oprleft, x.oprright]')} AND CASE WHEN y.oprleft = x.oprleft AND y.oprright = x.oprright THEN py.ordinal > px.ordinal
        ELSE ${ALIKE('ARRAY[x.oprleft, x.oprright]', 'ARRAY[y.oprleft, y.oprright]')} END
    UNION ALL SELECT x.oid FROM added AS n JOIN pg_catalog.pg_cast AS x ON x.oid = n.oid
      WHERE ${NO_NEW_TYPE('ARRAY[x.castsource, x.casttarget]')})`
