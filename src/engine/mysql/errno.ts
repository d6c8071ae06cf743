/** The servers' numbers of errors: https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html */
export const DENIED_DATABASE = 1044
export const NO_DATABASE = 1049
export const NO_COLUMN = 1054
export const DENIED_TABLE = 1142
export const NO_TABLE = 1146
export const LOCK_TIMEOUT = 1205
export const DEADLOCK = 1213
export const DENIED = 1227
/** What checks and the proof of the mark fail with: `FAIL` in `statements.ts`. */
export const NOT_ONE_ROW = 1242
export const REFERRED = 1451
export const ROUTINE_EXISTS = 1304
export const NO_ROUTINE = 1305
export const DENIED_ROUTINE = 1370
