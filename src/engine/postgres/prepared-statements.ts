/** The statements that a session keeps prepared besides those of the steps: each takes some 10 to 20 kB. */
const MOST_PREPARED = 500

/** How many there are: a setting, because a reset that fails takes it back. */
const COUNT = 'afresh.prepared'

/**
 * `afresh_prepare` prepares a statement when it is first needed, and returns whether it is prepared. A reset
 * that failed afterwards has left it prepared.
 */
export const PREPARE_FUNCTION = `CREATE FUNCTION pg_temp.afresh_prepare(plan text, sql text) RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE
    count int := pg_catalog.current_setting('${COUNT}')::int;
  BEGIN
    IF count >= ${MOST_PREPARED} THEN
      RETURN false;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_prepared_statement() AS p WHERE p.name = plan) THEN
      EXECUTE pg_catalog.format('PREPARE %I AS %s', plan, sql);
    END IF;
    PERFORM pg_catalog.set_config('${COUNT}', (count + 1)::text, false);
    RETURN true;
  END $$; SELECT pg_catalog.set_config('${COUNT}', '0', false)`
