/** Error numbers of the servers: https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html */
export const DENIED_DATABASE = 1044
/** MariaDB: a row to be locked differs from the transaction's snapshot (`innodb_snapshot_isolation`). */
export const CHANGED = 1020
export const NO_DATABASE = 1049
export const NO_COLUMN = 1054
export const DENIED_TABLE = 1142
export const SYNTAX = 1064
export const NO_TABLE = 1146
export const LOCK_TIMEOUT = 1205
export const DEADLOCK = 1213
export const DENIED = 1227
/** Raised by checks and by the proof of the mark: `FAIL` in `statements.ts`. */
export const NOT_ONE_ROW = 1242
/** After ALTER TABLE … DISCARD TABLESPACE, and MariaDB's error for a table whose file is missing. */
export const NO_FILE: readonly (number | undefined)[] = [1814, 1932]
export const REFERRED = 1451
export const ROUTINE_EXISTS = 1304
export const NO_ROUTINE = 1305
export const DENIED_ROUTINE = 1370
export const DENIED_COLUMN = 1143
export const NO_SUCH_GRANT = 1141
/** Stored programs with binary log: https://dev.mysql.com/doc/refman/9.0/en/stored-programs-logging.html */
export const NEEDS_SUPER = 1419
/** The database is read-only: ALTER DATABASE … READ ONLY = 1. */
export const READ_ONLY = 3989
export const INCORRECT_STRING = 1366
/** MariaDB. */
export const SEQUENCE_RUN_OUT = 4084

/** Limits of the server, of each user, and of this user. */
export const TOO_MANY_SESSIONS: readonly (number | undefined)[] = [1040, 1203, 1226]

/** The disk or the memory of the server is full: errors of files, tables, engines and new tablespaces. */
export const NO_ROOM: readonly (number | undefined)[] = [3, 1021, 1030, 1037, 1041, 1114, 3675]
