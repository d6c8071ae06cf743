/** The descriptions of all objects at the start of the session: a temporary table. */
export const DEFINITIONS = 'pg_temp.afresh_definitions'
