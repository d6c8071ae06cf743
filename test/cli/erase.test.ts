import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { adopt } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { builtCli } from '../support/cli.ts'
import { describeOn } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
beforeAll(async () => {
  afresh = await builtCli()
})

const SCHEMA = `
  CREATE TABLE users (id integer PRIMARY KEY, email varchar(50), deleted_at varchar(30));
  CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), deleted_at varchar(30));
  CREATE TABLE notes (id integer PRIMARY KEY, user_id integer REFERENCES users (id) ON DELETE SET NULL);
  INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x'), (3, 'c@y');
  INSERT INTO orders (id, user_id) VALUES (1, 1), (2, 1), (3, 2); INSERT INTO notes VALUES (1, 1), (2, 3);`

/** The same commands on a file and on a server. */
function commands(current: () => { url: string; rows(sql: string): Promise<unknown[]> }): void {
  const marked = async () => {
    const { url } = current()
    await adopt(url, { confirm: async ({ confirmation }) => confirmation })
    return url
  }
  const count = async (table: string) => (await current().rows(`SELECT id FROM ${table}`)).length

  it('shows as a tree what happens to each table, for any database', async () => {
    const { code, stdout } = await afresh(['erase', 'users', '--url', current().url, '--explain'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^users\n/)
    expect(stdout).toMatch(
      /[├└]─ notes\.user_id: its rows are kept, the key becomes NULL · ON DELETE SET NULL/,
    )
    expect(stdout).toMatch(/[├└]─ orders\.user_id: its rows are deleted · ON DELETE NO ACTION/)
    expect(stdout).toMatch(/users ← orders\.user_id/)
    const json = await afresh([
      'erase',
      'users',
      '--url',
      current().url,
      '--explain',
      '--cascade',
      'follow',
      '--json',
    ])
    expect(JSON.parse(json.stdout)).toMatchObject({ bare: false, order: [['orders'], ['users']] })
    expect(JSON.parse(json.stdout)).not.toHaveProperty('refused')
  })

  it('changes only an adopted database', async () => {
    const { code, stderr } = await afresh(['erase', 'orders', '--url', current().url, '--keys', '1'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('carries no mark')])
    expect((await afresh(['purge', '--url', current().url, '--older-than', '1d'])).code).toBe(3)
    expect(await count('orders')).toBe(3)
  })

  it('reports with --dry-run, then deletes', async () => {
    const url = await marked()
    const refused = await afresh(['erase', 'users', '--url', url, '--where', "email LIKE '%@x'"])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('users ← orders.user_id')])
    const args = ['erase', 'users', '--url', url, '--where', "email LIKE '%@x'", '--cascade', 'follow']
    const dry = await afresh([...args, '--dry-run'])
    expect(dry.stdout).toMatch(/Would delete 5 rows/)
    expect(dry.stdout).toMatch(/DELETE FROM/)
    expect(await count('users')).toBe(3)
    expect((await afresh([...args, '--max', '4'])).code).toBe(1)
    const done = await afresh([...args, '--batch', '1'])
    expect(done.stdout).toMatch(/Deleted 5 rows in .*, in 2 batches/)
    expect(done.stderr).toMatch(/2 of 2 rows/)
    expect([await count('users'), await count('orders'), await count('notes')]).toEqual([1, 0, 2])
  })

  it('marks rows, and purges marked rows', async () => {
    const url = await marked()
    const mark = [
      'erase',
      'users',
      '--url',
      url,
      '--keys',
      '1,2',
      '--cascade',
      'follow',
      '--soft-delete',
      'deleted_at',
      '--value',
      'yes',
    ]
    expect((await afresh(mark)).stdout).toMatch(/Marked 5 rows/)
    expect((await afresh(mark)).stdout).toMatch(/Deleted 0 rows|Marked 0 rows/)
    const purge = await afresh(['purge', '--url', url, '--value', 'yes', '--json'])
    expect(JSON.parse(purge.stdout)).toMatchObject({ rows: 5 })
    expect([await count('users'), await count('orders')]).toEqual([1, 0])
  })

  it('reports wrong usage', async () => {
    const { url } = current()
    const wrong: [readonly string[], RegExp][] = [
      [['erase', '--url', url], /missing required argument 'table'/i],
      [['erase', 'users', '--url', url], /Which rows\?/],
      [['erase', 'users', '--url', url, '--keys', '1', '--where', '1=1'], /Which rows\?/],
      [['erase', 'users', '--url', url, '--keys', '1', '--value', 'x'], /--soft-delete/],
      [
        ['erase', 'users', '--url', url, '--keys', '1', '--on-delete', 'orders.user_id=explode'],
        /KEY=ACTION/,
      ],
      [['erase', 'usrs', '--url', url, '--explain'], /There is no table "usrs"/],
      [['purge', '--url', url, '--older-than', 'soon'], /is not an age/],
      [['purge', '--url', url, '--max', 'many'], /whole number/],
    ]
    for (const [args, message] of wrong) {
      const { code, stderr } = await afresh(args)
      expect([code, stderr], args.join(' ')).toEqual([2, expect.stringMatching(message)])
    }
  })
}

describeSqlite(({ open }) => {
  let folder = ''
  const file = () => join(folder, 'shop.db')
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'afresh-erase-'))
    const handle = open(file())
    handle.exec(SCHEMA)
    handle.close()
  })
  afterEach(() => rm(folder, { recursive: true }))
  commands(() => ({
    url: `sqlite:${file()}`,
    async rows(sql) {
      const handle = open(file())
      try {
        return handle.prepare(sql).all()
      } finally {
        handle.close()
      }
    },
  }))
})

describeOn('embedded:18', (server) => {
  const url = () => server.url.replace(/\/[^/]*$/, '/erase_cli')
  beforeEach(async () => {
    await ask(server, 'CREATE DATABASE erase_cli')
    await ask({ ...server, url: url() }, SCHEMA)
  })
  afterEach(async () => {
    await ask(server, 'DROP DATABASE erase_cli')
  })
  commands(() => ({ url: url(), rows: (sql) => ask({ ...server, url: url() }, sql) }))
})
