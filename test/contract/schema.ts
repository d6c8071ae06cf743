/** The SQL that differs between engines; everything else in the contract is the same for all of them. */
export interface Dialect {
  /** An integer key that the database generates. */
  readonly id: string
  /** Text of any length. */
  readonly text: string
}

/**
 * The smallest schema with everything that can break a reset on some engine: reference data, a self
 * reference, a cascade, a cycle, a composite key, a generated column, equal rows without a key, and a name
 * that needs quotes.
 */
export function contractSchema({ id, text }: Dialect): string {
  return `
CREATE TABLE countries (code char(2) PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE users (id ${id}, name varchar(50) NOT NULL, country char(2) NOT NULL, manager integer,
  FOREIGN KEY (country) REFERENCES countries (code), FOREIGN KEY (manager) REFERENCES users (id));
CREATE TABLE orders (id ${id}, user_id integer NOT NULL, total numeric(10,2) NOT NULL,
  doubled numeric(11,2) GENERATED ALWAYS AS (total * 2) STORED,
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE order_lines (order_id integer NOT NULL, line integer NOT NULL, note ${text},
  PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE);
CREATE TABLE teams (id ${id}, name varchar(50), captain integer, FOREIGN KEY (captain) REFERENCES players (id));
CREATE TABLE players (id ${id}, team integer NOT NULL, FOREIGN KEY (team) REFERENCES teams (id));
CREATE TABLE log (message varchar(200));
CREATE TABLE "we""ird NAME; --" (id ${id}, "select" varchar(20));

INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France'), ('JP', 'Japan');
INSERT INTO users (name, country, manager) VALUES ('Ada', 'DE', NULL);
INSERT INTO users (name, country, manager) VALUES ('Bert', 'FR', 1), ('Cleo', 'JP', 1);
INSERT INTO log VALUES ('started'), ('started'), ('ready');
`
}

/** PostgreSQL checks a reference when it is declared, so one side of the cycle is added afterwards. */
export function withoutForwardReference(schema: string): string {
  return schema
    .replace(', FOREIGN KEY (captain) REFERENCES players (id));', ');')
    .replace(
      'CREATE TABLE log',
      'ALTER TABLE teams ADD FOREIGN KEY (captain) REFERENCES players (id);\nCREATE TABLE log',
    )
}

/** Queries that read every table in a deterministic order. */
export const DUMPS = [
  'SELECT * FROM countries ORDER BY code',
  'SELECT * FROM users ORDER BY id',
  'SELECT * FROM orders ORDER BY id',
  'SELECT * FROM order_lines ORDER BY order_id, line',
  'SELECT * FROM teams ORDER BY id',
  'SELECT * FROM players ORDER BY id',
  'SELECT * FROM log ORDER BY message',
  'SELECT * FROM "we""ird NAME; --" ORDER BY id',
]

/** Inserts with generated ids, to see the next numbers. */
export const NEXT_IDS = [
  `INSERT INTO users (name, country) VALUES ('next', 'DE')`,
  'INSERT INTO orders (user_id, total) VALUES (1, 1)',
  'INSERT INTO teams (name) VALUES (NULL)',
  `INSERT INTO "we""ird NAME; --" ("select") VALUES ('next')`,
]

/** Writes that a test might do; `:n` becomes a number. Some fail, depending on earlier writes. */
export const WRITES = [
  `INSERT INTO countries VALUES ('X:n', 'New')`,
  `UPDATE countries SET name = 'Changed :n' WHERE code = 'DE'`,
  `UPDATE countries SET name = 'GERMANY' WHERE code = 'DE'`,
  `DELETE FROM countries WHERE code = 'JP'`,
  `INSERT INTO users (name, country, manager) VALUES ('User :n', 'FR', 1)`,
  `UPDATE users SET manager = 3 WHERE id = 2`,
  `UPDATE users SET name = 'ada' WHERE id = 1`,
  `DELETE FROM users WHERE id = 3`,
  `DELETE FROM users WHERE id > 3`,
  'INSERT INTO orders (user_id, total) VALUES (1, :n)',
  'INSERT INTO orders (user_id, total) VALUES (2, 0.10)',
  `INSERT INTO order_lines SELECT id, :n, 'note' FROM orders`,
  'DELETE FROM orders WHERE id = 1',
  `INSERT INTO teams (name) VALUES ('Team :n')`,
  'INSERT INTO players (team) SELECT id FROM teams',
  'UPDATE teams SET captain = (SELECT max(id) FROM players)',
  `INSERT INTO log VALUES ('started')`,
  `INSERT INTO log VALUES (NULL)`,
  `UPDATE log SET message = 'READY' WHERE message = 'ready'`,
  `DELETE FROM log WHERE message = 'started'`,
  `INSERT INTO "we""ird NAME; --" ("select") VALUES (':n')`,
  'BEGIN; INSERT INTO orders (user_id, total) VALUES (1, :n); ROLLBACK',
]
