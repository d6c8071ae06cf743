import { item } from './markdown.ts'

/** Measurements and facts of others, with their addresses. */
export const SOURCES = [
  item(
    '[rails/rails#56097](https://github.com/rails/rails/pull/56097) (2025): about 200 tables in each of 32 MySQL databases: 0.3 s by DELETE and 18 s by TRUNCATE where they are empty, and DELETE 2.7 times faster with 1,000 rows in each. Rails empties the databases of parallel tests by DELETE since. A table of 1,000 rows among 200 empty ones is not our case: see "workers" and "tables" above for what we measured.',
  ),
  item(
    '[Cybertec: DROP TABLE, killing shared_buffers](https://www.cybertec-postgresql.com/en/drop-table-killing-shared_buffers/): creating and dropping a table on PostgreSQL slows down as `shared_buffers` grows. TRUNCATE drops the old files of a table in the same way.',
  ),
  item(
    '[MySQL bug 68184](https://bugs.mysql.com/bug.php?id=68184): TRUNCATE stalls while InnoDB removes the pages of the old table from the buffer pool.',
  ),
  item(
    '[The change buffer of InnoDB](https://dev.mysql.com/doc/refman/8.4/en/innodb-change-buffer.html) and its default: `innodb_change_buffering` is `none` in the documentation of 8.4. What your server says is in the conditions that `afresh bench` records.',
  ),
  item(
    '[full_page_writes](https://www.postgresql.org/docs/18/runtime-config-wal.html#GUC-FULL-PAGE-WRITES): the first change of a page after a checkpoint writes all of it to the WAL.',
  ),
].join('\n')
