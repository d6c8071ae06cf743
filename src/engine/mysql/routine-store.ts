import { REGISTRY } from './ownership.ts'

/**
 * What prepared resets need to have on the server, for all databases together: afresh's own database holds the
 * tables below and one procedure, so that a reset that finds something dirty puts it right in the same round trip.
 * The counts that were seen last stand in memory like the server's own: both are gone when it restarts.
 */
export interface Store {
  readonly watches: string
  readonly seen: string
  readonly cascades: string
  readonly steps: string
  readonly procedure: string
}

/** Two versions of afresh on one server have each their own: `digest` is of what the tables and procedure are. */
export function storeOf(digest: string): Store {
  const name = (kind: string) => `${REGISTRY}.${kind}_${digest}`
  return {
    watches: name('watches'),
    seen: name('seen'),
    cascades: name('cascades'),
    steps: name('steps'),
    procedure: name('reset'),
  }
}

/** A statement up to this long stands with its step, a longer one apart. */
export const BRIEF = 500

export const tablesOf = ({ watches, seen, cascades, steps }: Store) => [
  `CREATE TABLE IF NOT EXISTS ${watches} (id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, database_name VARCHAR(64) NOT NULL,
    written BIGINT NOT NULL, print VARCHAR(64), tells TINYINT NOT NULL, told BIGINT NOT NULL DEFAULT 0, finished BIGINT NOT NULL DEFAULT 0) ENGINE=MEMORY CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${seen} (watch BIGINT NOT NULL, name VARCHAR(64) NOT NULL, place INT NOT NULL, file VARCHAR(140),
    next DECIMAL(20), many BIGINT NOT NULL, inserts BIGINT NOT NULL, others BIGINT NOT NULL,
    PRIMARY KEY (watch, name), KEY (watch, place), KEY (watch, file)) ENGINE=MEMORY CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${cascades} (watch BIGINT, place INT, child INT, PRIMARY KEY (watch, place, child)) ENGINE=InnoDB`,
  `CREATE TABLE IF NOT EXISTS ${steps} (watch BIGINT, place INT, phase INT, step INT, sub INT, ways INT NOT NULL, counts VARCHAR(10),
    unless VARCHAR(${BRIEF}), brief VARCHAR(${BRIEF}), run LONGTEXT, PRIMARY KEY (watch, place, phase, step, sub))
    ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
]
