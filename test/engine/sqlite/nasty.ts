import type { Connection } from '../../../src/engine/connection.ts'
import type { Resetter } from '../../../src/engine/resetter.ts'
import { sqlite } from '../../../src/engine/sqlite/index.ts'
import { buildPlan, type PlanInput } from '../../../src/plan/build.ts'
import type { Plan } from '../../../src/plan/plan.ts'
import type { Schema } from '../../../src/schema/schema.ts'
import type { SqliteHandle } from '../../support/sqlite.ts'

/** A schema with everything in SQLite that can cause problems. */
export const NASTY = `
CREATE TABLE "order ""x""" (id INTEGER PRIMARY KEY AUTOINCREMENT, "select" TEXT, "a b" ANYTHING,
  parent INTEGER REFERENCES "ORDER ""X""" ON DELETE CASCADE);
CREATE TABLE ring_a (id INTEGER PRIMARY KEY AUTOINCREMENT, b INTEGER NOT NULL REFERENCES ring_b ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE ring_b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES ring_a(id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE keyed (lang TEXT COLLATE NOCASE, code, v, PRIMARY KEY (lang, code)) WITHOUT ROWID;
CREATE TABLE translation (id INTEGER PRIMARY KEY, lang TEXT, code, FOREIGN KEY (lang, code) REFERENCES Keyed ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TABLE strictly (id INTEGER PRIMARY KEY, n INT NOT NULL, whatever ANY UNIQUE) STRICT;
CREATE TABLE computed (id INTEGER PRIMARY KEY, a INT CHECK (a < 1000000), twice INT AS (a * 2) STORED UNIQUE, thrice AS (a * 3));
CREATE TABLE heap (x, r REAL, t TEXT COLLATE NOCASE, n NUMERIC);
CREATE INDEX heap_expression ON heap (lower(t)) WHERE x IS NOT NULL;
CREATE TABLE disguised (rowid TEXT, oid, v);
CREATE TABLE backwards (id INTEGER PRIMARY KEY DESC, v);
CREATE TABLE never_used (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
CREATE TABLE moved_on (id INTEGER PRIMARY KEY AUTOINCREMENT /* AUTOINCREMENT */, v UNIQUE);
CREATE TABLE plainly (id INTEGER PRIMARY KEY, "autoincrement" TEXT DEFAULT 'AUTOINCREMENT');
CREATE TABLE audit (n INTEGER PRIMARY KEY, what TEXT);
CREATE TABLE kept (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
CREATE TABLE document (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
CREATE VIRTUAL TABLE note USING fts5(title, body UNINDEXED);
CREATE VIRTUAL TABLE old_note USING fts4(title, body);
CREATE VIRTUAL TABLE found USING fts5(title, body, content='document', content_rowid='id');
CREATE VIRTUAL TABLE terms USING fts5vocab('found', 'instance');
CREATE VIRTUAL TABLE hollow USING fts5(word, content='');
CREATE VIRTUAL TABLE place USING rtree(id, x0, x1, +label);
CREATE VIEW big AS SELECT * FROM audit WHERE n > 1;
CREATE TRIGGER big_in INSTEAD OF INSERT ON big BEGIN INSERT INTO audit VALUES (new.n, 'via view'); END;
CREATE TRIGGER order_in AFTER INSERT ON "Order ""X""" BEGIN INSERT INTO audit (what) VALUES ('in; ' || new.id); END;
CREATE TRIGGER order_out BEFORE DELETE ON "order ""x""" BEGIN INSERT INTO audit (what) VALUES ('out ' || old.id); END;
CREATE TRIGGER heap_veto BEFORE DELETE ON heap WHEN old.t = 'stays' BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER computed_veto BEFORE DELETE ON computed BEGIN SELECT RAISE(ABORT, 'never delete'); END;
CREATE TRIGGER document_in AFTER INSERT ON document BEGIN INSERT INTO found (rowid, title, body) VALUES (new.id, new.title, new.body); END;
CREATE TRIGGER document_out AFTER DELETE ON document BEGIN INSERT INTO found (found, rowid, title, body) VALUES ('delete', old.id, old.title, old.body); END;
CREATE TRIGGER document_up AFTER UPDATE ON document BEGIN
  INSERT INTO found (found, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
  INSERT INTO found (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
CREATE TEMP TRIGGER spy AFTER DELETE ON main.heap BEGIN INSERT INTO audit (what) VALUES ('spied'); END;
CREATE TEMP TABLE plainly (hides TEXT);
`

export const ROWS = `
INSERT INTO "order ""x""" ("select", "a b", parent) VALUES ('one', 1, NULL), ('two', 2.0, 1), ('three', x'00ff', 2);
BEGIN; INSERT INTO ring_a VALUES (1, 1); INSERT INTO ring_b VALUES (1, 1); COMMIT;
INSERT INTO keyed VALUES ('en', 1, 'a'), ('en', '1', 'b'), ('de', x'31', 'd');
INSERT INTO translation VALUES (1, 'en', 1), (2, 'EN', '1'), (7, NULL, NULL);
INSERT INTO strictly VALUES (1, 1, 1), (2, 2, '1'), (3, 3, x'31');
INSERT INTO computed (id, a) VALUES (1, 10), (5, 50);
INSERT INTO heap VALUES (1, 1, 'a', '1'), (1, 1, 'a', '1'), (1.0, 1.5, 'A', '1x'), (NULL, NULL, 'stays', NULL), ('1', -0.0, char(0) || 'b', 9007199254740993);
INSERT INTO heap VALUES (CAST(x'ff00' AS TEXT), 9e999, '', 1e300), (9223372036854775807, 0.1, 'ß', 0.1);
INSERT INTO disguised VALUES ('1', 2, 3), ('1', 2, 3);
INSERT INTO backwards VALUES (3, 'x'), (NULL, 'y'), (NULL, 'y');
INSERT INTO moved_on VALUES (500, 'a'), (3, 'b');
DELETE FROM moved_on WHERE id = 500;
INSERT INTO main.plainly VALUES (1, 'p');
INSERT INTO kept (v) VALUES ('mine');
INSERT INTO document VALUES (1, 'hello world', 'first'), (2, 'good bye', 'second');
INSERT INTO note (rowid, title, body) VALUES (3, 'kept note', 1), (9, 'other', 'text');
INSERT INTO old_note (docid, title, body) VALUES (4, 'old', 'words');
INSERT INTO place VALUES (1, 0.1, 0.2, 'here'), (2, -5, 5, NULL);
`

export interface Bench {
  readonly connection: Connection
  readonly schema: Schema
  readonly plan: Plan
  readonly resetter: Resetter
}

/** The essential steps of `attach`. */
export async function benchOf(
  client: SqliteHandle,
  input: Partial<PlanInput> = {},
  lockTimeoutMs = 300,
): Promise<Bench> {
  const connection = sqlite.wrap(client)
  if (connection === undefined) throw new Error('not recognised as a SQLite handle')
  const schema = await sqlite.introspect(connection)
  const plan = buildPlan(schema, {
    strategy: 'auto',
    sequences: 'restart',
    keep: [],
    ...(await sqlite.inspectState(connection, schema)),
    capabilities: sqlite.capabilities,
    ...input,
  })
  const mark = await sqlite.ownership.read(connection)
  const resetter = await sqlite.prepare(connection, {
    schema,
    plan,
    claim: mark === undefined ? undefined : { mark },
    template: undefined,
    lockTimeoutMs,
    detector: 'auto',
  })
  return { connection, schema, plan, resetter }
}

/** The rows of a query, with integers as the driver returns them. */
export function rowsOf(client: SqliteHandle, sql: string): Record<string, unknown>[] {
  return client.prepare(sql).all() as Record<string, unknown>[]
}

const DATA = [
  `"order ""x"""`,
  'ring_a',
  'ring_b',
  'translation',
  'strictly',
  'computed',
  'heap',
  'backwards',
  'never_used',
  'moved_on',
  'plainly',
  'audit',
  'document',
  'note',
  'old_note',
  'found',
  'hollow',
  'place',
]

/**
 * The complete content, formatted by SQLite itself and read by the driver without afresh: rows with rowids,
 * the index of the contentless full-text table, definitions, settings, and the ids of the next inserts.
 */
export function dumpOf(client: SqliteHandle): Record<string, unknown> {
  const columnsOf = (table: string) =>
    rowsOf(
      client,
      `SELECT name FROM pragma_table_xinfo(${table.startsWith('"') ? `'order "x"'` : `'${table}'`}, 'main') WHERE hidden <> 1`,
    )
      .map(({ name }) => `quote("${String(name).replaceAll('"', '""')}")`)
      .join(` || '|' || `)
  const dump = (table: string, rowid: string) =>
    rowsOf(client, `SELECT ${rowid} || ':' || ${columnsOf(table)} AS line FROM main.${table} ORDER BY 1`).map(
      ({ line }) => line,
    )
  return {
    ...Object.fromEntries(DATA.map((table) => [table, dump(table, 'rowid')])),
    disguised: dump('disguised', '_rowid_'),
    keyed: dump('keyed', `''`),
    index: rowsOf(
      client,
      `SELECT term || ' ' || doc || ' ' || col || ' ' || "offset" AS line FROM terms ORDER BY 1`,
    ),
    matches: rowsOf(
      client,
      `SELECT rowid AS id FROM note WHERE note MATCH 'note' UNION ALL SELECT rowid FROM old_note WHERE old_note MATCH 'old'`,
    ),
    inside: rowsOf(client, `SELECT id FROM place WHERE x0 <= 0 ORDER BY id`),
    definitions: rowsOf(
      client,
      `SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS line FROM main.sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1`,
    ),
    triggers: rowsOf(
      client,
      `SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'order%' ORDER BY rowid`,
    ),
    temporary: rowsOf(
      client,
      `SELECT name, sql FROM temp.sqlite_master WHERE name NOT LIKE 'afresh:%' ORDER BY 1`,
    ),
    settings: [
      'foreign_keys',
      'busy_timeout',
      'recursive_triggers',
      'defer_foreign_keys',
      'journal_mode',
    ].map((name) => Object.values(rowsOf(client, `PRAGMA ${name}`)[0] ?? {})),
    nextIds: nextIds(client),
  }
}

function nextIds(client: SqliteHandle): unknown {
  client.exec('BEGIN')
  try {
    return [
      rowsOf(client, `INSERT INTO "order ""x""" ("select") VALUES ('n') RETURNING id AS n`),
      rowsOf(client, `INSERT INTO ring_a (b) VALUES (1) RETURNING id AS n`),
      ...['never_used', 'moved_on', 'heap', 'audit', 'document', 'backwards'].map((table) =>
        rowsOf(client, `INSERT INTO main.${table} DEFAULT VALUES RETURNING rowid AS n`),
      ),
    ]
  } finally {
    client.exec('ROLLBACK')
  }
}
