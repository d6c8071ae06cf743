import type { FlavorBenchSql } from '../mysql/bench.ts'

export const mariadbBench: FlavorBenchSql = {
  // The SEQUENCE engine: https://mariadb.com/kb/en/sequence-storage-engine/
  numbers: (from, to) => `(SELECT seq AS n FROM seq_${from}_to_${to})`,
  files: 'information_schema.innodb_sys_tablespaces',
}
