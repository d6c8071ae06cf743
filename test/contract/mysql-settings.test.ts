import { afterAll, beforeAll, describe } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { contract } from './contract.ts'
import { onServer } from './targets.ts'

/** Modes that change how SQL is parsed, and which values are stored and returned. */
const MODES = [
  ...['ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'PIPES_AS_CONCAT', 'IGNORE_SPACE', 'HIGH_NOT_PRECEDENCE'],
  ...['REAL_AS_FLOAT', 'PAD_CHAR_TO_FULL_LENGTH', 'NO_AUTO_VALUE_ON_ZERO', 'NO_UNSIGNED_SUBTRACTION'],
  ...[
    'STRICT_ALL_TABLES',
    'NO_ZERO_DATE',
    'NO_ZERO_IN_DATE',
    'ERROR_FOR_DIVISION_BY_ZERO',
    'ONLY_FULL_GROUP_BY',
  ],
]

/** Settings for new sessions. The previous values are restored afterwards. */
const SETTINGS: Readonly<Record<string, string>> = {
  sql_mode: `'${MODES.join(',')}'`,
  time_zone: "'+05:45'",
  sql_safe_updates: '1',
  sql_select_limit: '1',
  sql_big_selects: '0',
  max_join_size: '1',
  group_concat_max_len: '4',
  completion_type: "'CHAIN'",
  transaction_isolation: "'READ-UNCOMMITTED'",
  lock_wait_timeout: '1',
  div_precision_increment: '0',
}

/**
 * Backslashes follow the mode of the session: in dumps of mysqldump they are escapes, whatever the server's
 * mode.
 */
const PATHS = `CREATE TABLE paths (path varchar(20), padded char(20)); INSERT INTO paths VALUES ('C:\\', 'a');
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
INSERT INTO paths VALUES ('it\\'s; so', 'b'); /*!40101 SET SQL_MODE=@OLD_SQL_MODE */; INSERT INTO paths VALUES ('D:\\', 'c');`

/** The application resets what would limit its own statements. */
const SESSION = `SET sql_safe_updates = 0, sql_select_limit = 18446744073709551615, sql_big_selects = 1, completion_type = 0`

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    describe('with unusual settings', () => {
      let before: Record<string, unknown> = {}
      beforeAll(async () => {
        const names = Object.keys(SETTINGS)
        const [row] = await ask(
          server,
          `SELECT ${names.map((name) => `CAST(@@global.${name} AS CHAR) AS ${name}`).join(', ')}`,
        )
        before = row ?? {}
        await ask(server, `SET ${names.map((name) => `GLOBAL ${name} = ${SETTINGS[name]}`).join(', ')}`)
      })
      afterAll(async () => {
        const values = Object.entries(before).map(([name, value]) =>
          // The largest integers exceed JavaScript's safe range, so they stay text.
          /^\d+$/.test(String(value)) ? `GLOBAL ${name} = ${value}` : `GLOBAL ${name} = '${value}'`,
        )
        await ask(server, `SET ${values.join(', ')}`)
      })
      contract(onServer(server, { project: 'odd_settings', before: PATHS, session: SESSION }))
    })
  })
}
