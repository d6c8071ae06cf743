import { setTimeout as sleep } from 'node:timers/promises'
import { adopt } from '../../src/index.ts'
import type { Client } from '../client.ts'
import { connect } from '../connect.ts'
import { DIALECTS, type Dialect } from './dialect.ts'
import type { EngineName } from './method.ts'
import { type Family, levelsOf, linkOf, TENANT, type Tree, tableOf, tablesOf } from './tree.ts'

const NUMBERS = 10_000
const COPIED_AT_ONCE = 500_000
const PATIENCE_MS = 60_000

/** The tables that all methods use in turns, and a stash of their rows. */
export class TreeFixture implements AsyncDisposable {
  readonly url: string
  #opened: Client | undefined
  readonly #dialect: Dialect
  readonly #tree: Tree
  readonly #levels: readonly number[]

  private constructor(url: string, engine: EngineName, tree: Tree) {
    this.url = url
    this.#dialect = DIALECTS[engine]
    this.#tree = tree
    this.#levels = levelsOf(tree)
  }

  /**
   * Prepares an empty database and closes its connections, as afresh requires. The tables are empty until
   * `stash`.
   */
  static async prepare(url: string, engine: EngineName, tree: Tree): Promise<TreeFixture> {
    // Before any connection opens. A file is adopted by the handle that opens it.
    if (engine !== 'sqlite') await adopt(url, { confirm: async ({ confirmation }) => confirmation })
    const client = await connect(url)
    for (const family of ['plain', 'cascading', 'stash'] as const) {
      for (const sql of tablesSql(family, tree.depth, DIALECTS[engine])) await client.run(sql)
    }
    await client.close()
    return new TreeFixture(url, engine, tree)
  }

  /** Generates the rows on the server. */
  async stash(): Promise<void> {
    this.#opened = await connect(this.url)
    await this.#run(this.#dialect.prepare)
    await this.#run('CREATE TABLE numbers (n integer PRIMARY KEY)')
    await this.#run('INSERT INTO numbers VALUES (0)')
    for (let made = 1; made < NUMBERS; made *= 2) {
      await this.#run(`INSERT INTO numbers SELECT n + ${made} FROM numbers WHERE n + ${made} < ${NUMBERS}`)
    }
    for (const [index, count] of this.#levels.entries()) {
      const level = index + 1
      const { id, link } = this.#row(level)
      for (let from = 1; from <= 2 * count; from += NUMBERS) {
        const made = `SELECT ${id(from)} AS id FROM numbers WHERE ${id(from)} <= ${2 * count}`
        await this.#run(
          `INSERT INTO ${tableOf('stash', level)} SELECT id, ${link}, ${this.#name()} FROM (${made}) AS made ORDER BY id`,
        )
      }
    }
  }

  /** Restores all rows, in files and indexes that are as good as new. */
  async restore(family: Exclude<Family, 'stash'>): Promise<void> {
    const tables = tablesOf(family, this.#tree.depth)
    await this.#waitForBacklog()
    const all = [...tablesOf('plain', this.#tree.depth), ...tablesOf('cascading', this.#tree.depth)]
    await this.#run(this.#dialect.empty(all))
    for (const [index, table] of tables.entries()) {
      const last = 2 * (this.#levels[index] ?? 0)
      for (let after = 0; after < last; after += COPIED_AT_ONCE) {
        const part = `id > ${after} AND id <= ${after + COPIED_AT_ONCE}`
        await this.#run(
          `INSERT INTO ${table} SELECT * FROM ${tableOf('stash', index + 1)} WHERE ${part} ORDER BY id`,
        )
      }
    }
    for (const sql of this.#dialect.settled(tables)) await this.#run(sql)
  }

  /** @throws Error unless exactly the rows remain that must not be deleted */
  async verify(family: Exclude<Family, 'stash'>): Promise<void> {
    for (const [index, table] of tablesOf(family, this.#tree.depth).entries()) {
      const [row] = await this.#client.run(
        `SELECT COUNT(*) AS rows_left, COALESCE(SUM(id % 2), 0) AS too_many FROM ${table}`,
      )
      const [remaining, tooMany] = [Number(row?.rows_left), Number(row?.too_many)]
      const wanted = this.#levels[index]
      if (remaining !== wanted || tooMany !== 0) {
        throw new Error(
          `${table}: ${remaining} rows are left, ${tooMany} of which should be gone; ${wanted} were to stay`,
        )
      }
    }
  }

  /** Ends the transaction of a killed process, if it has one, before it resolves. */
  async endSessionOfKilled(): Promise<void> {
    const { left } = this.#dialect
    if (left === undefined) return
    for (const deadline = performance.now() + 10 * PATIENCE_MS; ; ) {
      const sessions = await this.#client.run(left.find)
      if (sessions.length === 0) return
      if (performance.now() > deadline) throw new Error('a session that was ended does not end')
      for (const { session } of sessions) await this.#client.run(left.end(Number(session))).catch(() => {})
      await sleep(200)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened?.close()
  }

  /** Rows with odd ids belong to the tenant, and refer to rows with odd ids. */
  #row(level: number): { id: (from: number) => string; link: string } {
    const { wide, divided } = this.#dialect
    const id = (from: number) => `${from} + n`
    if (level === 1) return { id, link: `id % 2 * ${TENANT}` }
    const [above = 1, own = 1] = this.#levels.slice(level - 2, level)
    const ordinal = divided(`${wide('id')} - 1`, '2')
    const parent = divided(`(${ordinal}) * ${above}`, String(own))
    return { id, link: `2 * (${parent}) + 2 - id % 2` }
  }

  #name(): string {
    return `'twenty-five letters, no 25'`
  }

  async #waitForBacklog(): Promise<void> {
    const { backlog } = this.#dialect
    if (backlog === undefined) return
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(100)) {
      const [row] = await this.#client.run(backlog)
      if (Number(row?.n ?? 0) === 0) return
    }
  }

  get #client(): Client {
    if (this.#opened === undefined) throw new Error('no rows were made yet')
    return this.#opened
  }

  async #run(sql: string): Promise<void> {
    await this.#client.run(sql)
  }
}

function tablesSql(family: Family, depth: number, { tableOptions, indexesKeys }: Dialect): string[] {
  return tablesOf(family, depth).flatMap((table, index) => {
    const level = index + 1
    const columns = [
      'id integer PRIMARY KEY',
      `${linkOf(level)} integer NOT NULL`,
      'name varchar(40) NOT NULL',
    ]
    const refers = level > 1 && family !== 'stash'
    if (refers) {
      const onDelete = family === 'cascading' ? ' ON DELETE CASCADE' : ''
      columns.push(`FOREIGN KEY (parent) REFERENCES ${tableOf(family, index)} (id)${onDelete}`)
    }
    const create = `CREATE TABLE ${table} (${columns.join(', ')})${tableOptions}`
    return refers && !indexesKeys ? [create, `CREATE INDEX ${table}_parent ON ${table} (parent)`] : [create]
  })
}
