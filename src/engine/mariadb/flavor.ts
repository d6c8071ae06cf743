import type { Sequence } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import { type Flavor, LOST, LOST_SUM, type SequenceDialect } from '../mysql/flavor.ts'
import { ident, literal, tableIn } from '../mysql/quote.ts'
import { mariadbBench } from './bench.ts'

const sequences: SequenceDialect = {
  positions: (names, database) => everyOne(names, 'next_not_cached_value AS next', database),
  catalog: (names) =>
    everyOne(
      names,
      'next_not_cached_value AS next, minimum_value AS low, maximum_value AS high, start_value AS start, increment, cache_size AS cache, cycle_option AS cycle',
    ),
  parse: (name, row, schema): Sequence => ({
    id: `sequence ${ident(name)}`,
    schema,
    name,
    label: name,
    kind: 'sequence',
    ownedBy: undefined,
    start: BigInt(String(row.start)),
    increment: BigInt(String(row.increment)),
    min: BigInt(String(row.low)),
    max: BigInt(String(row.high)),
    cache: BigInt(String(row.cache)),
    position: { value: BigInt(String(row.next)), called: false },
    definition: `from ${row.start} by ${row.increment}, ${row.low} to ${row.high}, cache ${row.cache}, cycle ${row.cycle}`,
  }),
  // SETVAL cannot decrease a sequence: https://mariadb.com/kb/en/setval/
  restart: (name, next) => `ALTER SEQUENCE ${ident(name)} RESTART WITH ${next}`,
  take: (name) => `SELECT NEXTVAL(${ident(name)}) AS next`,
}

function everyOne(names: readonly string[], columns: string, database?: string): string {
  return names
    .map((name, index) => `SELECT ${index} AS ordinal, ${columns} FROM ${tableIn(database, name)}`)
    .join(' UNION ALL ')
}

/** Host, port, data directory and, if available (10.5.26, 11.1.6 on), a hash of the hardware address. */
function identity(probed: readonly Row[]): string {
  const parts = ['@@hostname', '@@port', '@@datadir', ...probed.map(({ name }) => `@@${String(name)}`)]
  return `LEFT(SHA2(CONCAT_WS(${literal('|')}, ${parts.join(', ')}), 256), 32)`
}

/** Statements that may redefine or rebuild a table. */
const DEFINING = [
  'Com_alter_sequence',
  'Com_alter_table',
  'Com_create_index',
  'Com_create_sequence',
  'Com_create_table',
  'Com_drop_index',
  'Com_drop_sequence',
  'Com_drop_table',
  'Com_optimize',
  'Com_rename_table',
  'Com_truncate',
]

export const mariadbFlavor: Flavor = {
  name: 'mariadb',
  title: 'MariaDB',
  protocols: ['mariadb', 'mysql'],
  settings: { check_constraint_checks: '0', max_statement_time: '0' },
  definitionSettings: { innodb_strict_mode: '0' },
  identityProbe:
    "SELECT LOWER(variable_name) AS name FROM information_schema.system_variables WHERE variable_name = 'SERVER_UID'",
  identity,
  identityRepeats: true,
  replica: {
    status: 'SHOW ALL SLAVES STATUS',
    signs: `@@global.gtid_slave_pos <> '' OR EXISTS (SELECT 1 FROM information_schema.global_status
      WHERE variable_name IN ('SLAVE_RUNNING', 'SLAVES_RUNNING') AND variable_value NOT IN ('0', 'OFF'))`,
  },
  // Without a plugin, MariaDB shows no metadata locks, only which sessions have an open transaction here.
  blockers: `
    SELECT p.id, CONCAT(p.user, '@', p.host) AS who,
      CONCAT(p.command, ' for ', p.time, ' s, a transaction open since ', t.trx_started, ', ',
        t.trx_rows_modified, ' rows written') AS state, p.info AS query
    FROM information_schema.processlist AS p
    JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
    WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()
    UNION ALL
    SELECT p.id, CONCAT(p.user, '@', p.host), CONCAT(p.command, ' for ', p.time, ' s'), p.info
    FROM information_schema.processlist AS p
    WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID() AND p.command <> 'Sleep'
      AND NOT EXISTS (SELECT 1 FROM information_schema.innodb_trx AS t WHERE t.trx_mysql_thread_id = p.id)`,
  transactions: undefined,
  userLocks: undefined,
  sequences,
  watch: {
    status: `information_schema.global_status WHERE variable_name IN (${[...DEFINING, ...LOST].map(literal).join(', ')})`,
    statusRows: DEFINING.length + LOST.length,
    catalog: `COALESCE(SUM(IF(variable_name LIKE 'Com%', variable_value, 0)), 0)`,
    countsStatements: true,
    lost: LOST_SUM,
    tables: 'information_schema.innodb_sys_tables',
    tableStats: 'information_schema.innodb_sys_tablestats',
    unseenCascades: 'SELECT 1 AS unseen',
  },
  truncateBreakEvenRows: 300,
  costs: {
    truncate: 0,
    truncateFile: 700,
    truncateKey: 100,
    planTable: 0,
    deleteRow: 1.3,
    deleteIndexRow: 0.5,
    probeRow: 0,
    referredRow: 0,
    readPage: 0,
    restart: 580,
    pageBytes: 16_384,
  },
  recursionLimit: 'max_recursive_iterations',
  endsMessage: undefined,
  bench: mariadbBench,
}
