import type { Connection } from '../connection.ts'

/**
 * What moves the time of DELETE or TRUNCATE. TRUNCATE searches all of `shared_buffers` for pages of the
 * table, unless it is small (`DropRelationsAllBuffers`); after a checkpoint, the first change of a page writes
 * the whole page to the WAL.
 * https://www.postgresql.org/docs/18/runtime-config-wal.html#GUC-FULL-PAGE-WRITES
 */
const NAMES = [
  'autovacuum',
  'block_size',
  'checkpoint_timeout',
  'data_checksums',
  'fsync',
  'full_page_writes',
  'max_wal_size',
  'shared_buffers',
  'synchronous_commit',
  'wal_buffers',
  'wal_compression',
  'wal_level',
  'wal_log_hints',
]

export async function settingsOf(connection: Connection): Promise<Readonly<Record<string, string>>> {
  const names = NAMES.map((name) => `'${name}'`).join(', ')
  const rows = await connection.query(`SELECT s.name, pg_catalog.current_setting(s.name) AS value
    FROM pg_catalog.pg_settings AS s WHERE s.name IN (${names}) ORDER BY s.name`)
  const [version] = await connection.query(`SELECT pg_catalog.current_setting('server_version') AS value`)
  return {
    ...Object.fromEntries(rows.map(({ name, value }) => [String(name), String(value)])),
    'autovacuum of these tables': 'off',
    version: String(version?.value),
  }
}
