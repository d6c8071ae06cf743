import type { Connection } from '../connection.ts'

/**
 * What moves the time of DELETE or TRUNCATE. A change buffer of `all` together with a pool smaller than the
 * table multiplies the time of DELETE; MySQL 8.4 and MariaDB 10.5 turned it off. SHOW omits what a server
 * does not have.
 * https://dev.mysql.com/doc/refman/8.4/en/innodb-change-buffer.html
 */
const NAMES = [
  'innodb_adaptive_hash_index',
  'innodb_buffer_pool_size',
  'innodb_change_buffering',
  'innodb_doublewrite',
  'innodb_file_per_table',
  'innodb_flush_log_at_trx_commit',
  'innodb_flush_method',
  'innodb_io_capacity',
  'innodb_log_file_size',
  'innodb_page_size',
  'innodb_purge_threads',
  'innodb_redo_log_capacity',
  'innodb_undo_log_truncate',
  'log_bin',
  'performance_schema',
  'sync_binlog',
  'transaction_isolation',
  'tx_isolation',
  'userstat',
  'version',
]

const SIZES = /_(size|capacity)$/
const NO_BYTES = new Set(['innodb_io_capacity'])

export async function settingsOf(connection: Connection): Promise<Readonly<Record<string, string>>> {
  const names = NAMES.map((name) => `'${name}'`).join(', ')
  const rows = await connection.query(`SHOW GLOBAL VARIABLES WHERE variable_name IN (${names})`)
  const pairs = rows.map((row): [string, string] => {
    const [name = '', value = ''] = Object.values(row).map(String)
    return [name.toLowerCase(), SIZES.test(name) && !NO_BYTES.has(name) ? sizeText(Number(value)) : value]
  })
  return Object.fromEntries(pairs.toSorted(([a], [b]) => a.localeCompare(b)))
}

function sizeText(bytes: number): string {
  if (bytes >= 2 ** 20) return `${Math.round(bytes / 2 ** 20)} MB`
  return `${Math.round(bytes / 2 ** 10)} kB`
}
