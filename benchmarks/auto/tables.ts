import type { ServerEngine } from '../../src/server/server.ts'
import type { Case } from './cases.ts'

/** The tables of a case, and what a test does with them. */
export interface Tables {
  /** The table that is written to. */
  readonly subject: string
  readonly create: string
  readonly drop: string
  /**
   * SQL before a reset that prepares a round; on PostgreSQL with new files, so that no round reads dead rows
   * of earlier ones.
   */
  readonly renew: string
  readonly fill: string
}

/**
 * Fills the WAL so far that the next reset scans all tables, as it does after many rows, and plans again if
 * necessary.
 */
const FILLER = 'filler'
const FILL_FILLER = `INSERT INTO ${FILLER} SELECT n, repeat('x', 100) FROM generate_series(1, 1000) AS n`
export const CREATE_FILLER = `CREATE TABLE ${FILLER} (id int PRIMARY KEY, label varchar(100))`
export const DROP_FILLER = `DROP TABLE ${FILLER}`

/** A database with the table `numbers`, for engines that can read rows across databases. */
export const NUMBERS = 'afresh_bench_numbers'

export const NUMBERS_SQL = (() => {
  const digits = `(${Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(' UNION ALL ')})`
  const places = [1, 10, 100, 1000, 10_000]
  const sum = places.map((factor, index) => `${factor} * p${index}.d`).join(' + ')
  const from = places.map((_, index) => `${digits} AS p${index}`).join(', ')
  return `CREATE DATABASE ${NUMBERS}; CREATE TABLE ${NUMBERS}.numbers (n int PRIMARY KEY);
    INSERT INTO ${NUMBERS}.numbers SELECT 1 + ${sum} FROM ${from}`
})()

const LETTERED = ['a', 'b', 'c', 'd', 'e'] as const
/** Multiplied by these factors, modulo 100,003, numbers are in no order. */
const FACTORS = [7919, 104_729, 1_299_709, 15_485_863, 32_452_843]

export function tablesOf(engine: ServerEngine, benchCase: Case): Tables {
  const isPostgres = engine === 'postgres'
  const subject = `subject_${benchCase.no}`
  const parents = named(`parent_${benchCase.no}`, benchCase.outgoing)
  const children = named(`child_${benchCase.no}`, benchCase.incoming)
  const key = benchCase.counts ? (isPostgres ? 'id serial' : 'id int AUTO_INCREMENT') : 'id int'
  const columns = [
    `${key} PRIMARY KEY`,
    ...LETTERED.map((name) => `${name} int NOT NULL`),
    'label varchar(40) NOT NULL',
    ...(benchCase.letters === 0 ? [] : ['body text NOT NULL']),
    ...parents.map((name) => `${name} int NOT NULL`),
    ...parents.map((name) => `FOREIGN KEY (${name}) REFERENCES ${name} (id)`),
  ]
  const ten = Array.from({ length: 10 }, (_, index) => `(${index + 1}, 'row ${index + 1}')`).join(', ')
  return {
    subject,
    create: [
      ...parents.flatMap((name) => [
        `CREATE TABLE ${name} (id int PRIMARY KEY, label varchar(40) NOT NULL)`,
        `INSERT INTO ${name} VALUES ${ten}`,
      ]),
      `CREATE TABLE ${subject} (${columns.join(', ')})`,
      ...LETTERED.slice(0, benchCase.indexes).map(
        (name) => `CREATE INDEX ${subject}_${name} ON ${subject} (${name})`,
      ),
      ...children.flatMap((name) => [
        `CREATE TABLE ${name} (id int PRIMARY KEY, subject int, FOREIGN KEY (subject) REFERENCES ${subject} (id))`,
        `CREATE INDEX ${name}_subject ON ${name} (subject)`,
      ]),
    ].join('; '),
    drop: `DROP TABLE ${[...children, subject, ...parents].join(', ')}`,
    renew: isPostgres
      ? `TRUNCATE ${[subject, ...children, FILLER].join(', ')}; ${insert(1)}; ${FILL_FILLER}`
      : insert(1),
    fill: insert(benchCase.rows),
  }

  function insert(rows: number): string {
    const values: [string, string][] = [
      ...(benchCase.counts ? [] : [['id', 'n'] as [string, string]]),
      ...LETTERED.map((name, index): [string, string] => [name, `(n * ${FACTORS[index]}) % 100003`]),
      ['label', isPostgres ? "'label ' || n" : "CONCAT('label ', n)"],
      ...(benchCase.letters === 0 ? [] : [['body', `repeat('x', ${benchCase.letters})`] as [string, string]]),
      ...parents.map((name): [string, string] => [name, '1 + n % 10']),
    ]
    const from = isPostgres
      ? `generate_series(1::bigint, ${rows}) AS n`
      : `${NUMBERS}.numbers WHERE n <= ${rows}`
    return `INSERT INTO ${subject} (${values.map(([name]) => name).join(', ')}) SELECT ${values.map(([, value]) => value).join(', ')} FROM ${from}`
  }
}

function named(stem: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${stem}_${index + 1}`)
}
