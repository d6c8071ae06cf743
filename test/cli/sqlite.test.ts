import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { builtCli } from '../support/cli.ts'
import { describeSqlite } from '../support/sqlite.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
beforeAll(async () => {
  afresh = await builtCli()
})

describeSqlite(({ open }) => {
  let folder = ''
  let file = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'afresh-sqlite-'))
    file = join(folder, 'shop.db')
    run(`CREATE TABLE customer (id integer PRIMARY KEY AUTOINCREMENT, name text);
      CREATE TABLE orders (id integer PRIMARY KEY AUTOINCREMENT, customer integer NOT NULL REFERENCES customer (id));
      INSERT INTO customer (name) VALUES ('Ada'), ('Bob'); INSERT INTO orders (customer) VALUES (1), (2);`)
  })
  afterEach(() => rm(folder, { recursive: true }))

  function run(sql: string): void {
    const handle = open(file)
    handle.exec(sql)
    handle.close()
  }

  function rows(sql: string): unknown[] {
    const handle = open(file)
    try {
      return handle.prepare(sql).all()
    } finally {
      handle.close()
    }
  }

  it('runs plan, adopt and reset', async () => {
    const url = `sqlite:${file}`
    const plan = await afresh(['plan', '--url', url, '--json'])
    expect(JSON.parse(plan.stdout)).toMatchObject({ marked: false, order: [['orders'], ['customer']] })

    expect((await afresh(['reset', '--url', url])).code).toBe(3)
    expect((await afresh(['adopt', '--url', url])).code).toBe(3)
    expect(rows('SELECT count(*) AS n FROM orders')).toEqual([{ n: 2 }])

    const doctor = await afresh(['doctor', '--url', url, '--json'])
    const { confirmation } = JSON.parse(doctor.stdout).database
    expect((await afresh(['adopt', '--url', url, '--confirm', confirmation])).code).toBe(0)
    expect((await afresh(['reset', '--url', url])).code).toBe(0)
    expect(rows('SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM customer) AS n')).toEqual([
      { n: 0 },
    ])
    run(`INSERT INTO customer (name) VALUES ('Cid')`)
    expect(rows('SELECT id FROM customer')).toEqual([{ id: 1 }])
  })

  it('reports a file that does not exist, or is no database', async () => {
    const missing = await afresh(['plan', '--url', `sqlite:${file}.gone`])
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no database file') })
    const other = await afresh(['plan', '--url', `sqlite:${import.meta.filename}`])
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot be read as a SQLite database'),
    })
  })
})
