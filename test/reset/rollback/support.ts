import mysql from 'mysql2/promise'
import pg from 'pg'
import { createHarness, existing, type Harness, type TestDatabase } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import type { ServerAtHand, ServerId } from '../../support/servers.ts'

export const POSTGRES: readonly ServerId[] = ['embedded:18', 'postgres:18']
export const MYSQL: readonly ServerId[] = ['mysql:9.7', 'mariadb:11.8']

export type Row = Record<string, unknown>

const SCHEMA = {
  postgres: `CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
    INSERT INTO users (name) VALUES ('Ada');
    CREATE TABLE orders (id serial PRIMARY KEY, buyer int NOT NULL REFERENCES users DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE log (line text)`,
  mysql: `CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, name varchar(50) NOT NULL UNIQUE);
    INSERT INTO users (name) VALUES ('Ada');
    CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, buyer int NOT NULL, FOREIGN KEY (buyer) REFERENCES users (id));
    CREATE TABLE log (line text);
    CREATE TABLE jotter (line text) ENGINE = MyISAM`,
}

/** A harness with strategy `rollback` over three small tables. */
export function harnessOn(server: ServerAtHand): Promise<Harness> {
  const schema = server.engine === 'postgres' ? SCHEMA.postgres : SCHEMA.mysql
  return createHarness({
    server: existing(server.url),
    migrate: async ({ url }) => {
      await ask({ ...server, url }, schema)
    },
    fingerprint: 'rollback-tests-1',
    project: 'rollback',
    fixtureSets: { more: 'test/reset/rollback/users.csv' },
    strategy: 'rollback',
    lockTimeoutMs: 1500,
  })
}

/** A client as applications use one. */
export interface Client extends AsyncDisposable {
  /** The argument of `begin`. */
  readonly handle: object
  /** Sends one message, and returns the rows of its last statement. */
  run(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** The same with a prepared statement. */
  prepared(sql: string, values: readonly unknown[]): Promise<Row[]>
}

export async function clientOf(server: ServerAtHand, { url }: Pick<TestDatabase, 'url'>): Promise<Client> {
  if (server.engine === 'postgres') {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    return {
      handle: client,
      async run(sql, values) {
        const result: unknown = await client.query(sql, values === undefined ? undefined : [...values])
        return (Array.isArray(result) ? result.at(-1) : result).rows
      },
      async prepared(sql, values) {
        return (await client.query({ name: sql.slice(0, 60), text: sql, values: [...values] })).rows
      },
      [Symbol.asyncDispose]: () => client.end(),
    }
  }
  const client = await mysql.createConnection({ uri: url, multipleStatements: true })
  return {
    handle: client,
    async run(sql, values) {
      const [rows, fields] = await client.query(sql, values as string[])
      const isList = Array.isArray(fields) && (fields[0] === undefined || Array.isArray(fields[0]))
      return (isList ? (rows as Row[][]).at(-1) : rows) as Row[]
    },
    async prepared(sql, values) {
      const [rows] = await client.execute(sql, values as string[])
      return rows as Row[]
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/** The error code of the server, which the two drivers store in different properties. */
export function codeOf(error: unknown): string {
  const { code, errno } = error as { code?: string; errno?: number }
  return String(errno ?? code)
}

export async function names(client: Client): Promise<unknown[]> {
  return (await client.run('SELECT name FROM users ORDER BY id')).map(({ name }) => name)
}
