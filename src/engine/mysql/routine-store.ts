import { REGISTRY } from './ownership.ts'

/**
 * What prepared resets keep on the server, for all databases together: afresh's registry contains these
 * tables and one procedure, so that a reset restores what is dirty in the round trip that finds it. The last
 * seen counts are in memory like the server's own: a restart of the server clears both.
 */
export interface Store {
  readonly detectors: string
  readonly seen: string
  readonly cascades: string
  readonly steps: string
  readonly procedure: string
}

/** `digest` is the hash of the definitions of tables and procedure: each version of afresh has its own. */
export function storeOf(digest: string): Store {
  const name = (kind: string) => `${REGISTRY}.${kind}_${digest}`
  return {
    detectors: name('detectors'),
    seen: name('seen'),
    cascades: name('cascades'),
    steps: name('steps'),
    procedure: name('reset'),
  }
}

/** Longer statements are stored in `run` instead of `short_sql`. */
export const SHORT_SQL_LENGTH = 500

export const tablesOf = ({ detectors, seen, cascades, steps }: Store) => [
  `CREATE TABLE IF NOT EXISTS ${detectors} (id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, database_name VARCHAR(64) NOT NULL,
    written BIGINT NOT NULL, print VARCHAR(64), recognizes_own TINYINT NOT NULL, announced BIGINT NOT NULL DEFAULT 0, finished BIGINT NOT NULL DEFAULT 0) ENGINE=MEMORY CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${seen} (detector BIGINT NOT NULL, name VARCHAR(64) NOT NULL, table_index INT NOT NULL, file VARCHAR(140),
    next DECIMAL(20), many BIGINT NOT NULL, inserts BIGINT NOT NULL, others BIGINT NOT NULL,
    PRIMARY KEY (detector, name), KEY (detector, table_index), KEY (detector, file)) ENGINE=MEMORY CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${cascades} (detector BIGINT, table_index INT, child INT, PRIMARY KEY (detector, table_index, child)) ENGINE=InnoDB`,
  `CREATE TABLE IF NOT EXISTS ${steps} (detector BIGINT, table_index INT, phase INT, step INT, sub INT, write_kinds INT NOT NULL, counts VARCHAR(10),
    unless VARCHAR(${SHORT_SQL_LENGTH}), short_sql VARCHAR(${SHORT_SQL_LENGTH}), run LONGTEXT, PRIMARY KEY (detector, table_index, phase, step, sub))
    ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
]
