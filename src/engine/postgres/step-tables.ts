/**
 * The statements of the steps. Position 0 restores rows; negative positions run before it, positive ones
 * after it.
 */
export const STATEMENTS = 'pg_temp.afresh_statements'
/** Which steps run if which subject is dirty. */
export const DUE = 'pg_temp.afresh_due'
/** Which table references which, for steps that also run if a referenced table is dirty. */
export const REFERENCES = 'pg_temp.afresh_references'
/** The positions of sequences, set by one statement: the `restart` steps that need only `setval`. */
export const POSITIONS = 'pg_temp.afresh_positions'

export const STEP_TABLES = [
  `CREATE TEMP TABLE afresh_statements (no int, position int, sql text, near text, truncate text, deletes text, above_rows float8, above bigint,
    dead bigint, relation oid, parted boolean, leaf text, leaf_truncate text, leaf_of oid, inserts boolean, moves boolean, prepared oid, PRIMARY KEY (no, position))`,
  `CREATE TEMP TABLE afresh_due (subject oid, no int, follows boolean, PRIMARY KEY (subject, no))`,
  `CREATE TEMP TABLE afresh_references (parent oid, child oid, PRIMARY KEY (parent, child))`,
  `CREATE TEMP TABLE afresh_positions (subject oid PRIMARY KEY, no int, value bigint, called boolean)`,
]
