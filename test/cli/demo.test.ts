import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { beforeAll, expect, it } from 'vitest'
import { codeOf } from '../../src/errors.ts'
import { ask } from '../support/ask.ts'
import { builtCli, CLI_MAIN } from '../support/cli.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
beforeAll(async () => {
  afresh = await builtCli()
})

/** The databases of the demo on a server; none may remain. */
async function leftOn(server: ServerAtHand): Promise<string[]> {
  const sql =
    server.engine === 'postgres'
      ? `SELECT datname AS name FROM pg_database WHERE datname LIKE 'afresh%demo%'`
      : `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'afresh%demo%'`
  return (await ask(server, sql)).map(({ name }) => String(name))
}

/** A running demo at its first test, with many tests to go. */
async function playing(server: ServerAtHand): Promise<{ child: ChildProcess; ended: Promise<Ended> }> {
  const child = spawn(process.execPath, [CLI_MAIN, 'demo', '--server', server.url, '--rounds', '10'])
  let output = ''
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, output })))
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('equal to the baseline')) resolve()
    })
    ended.then(() => resolve())
  })
  return { child, ended }
}

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Writes until the database is dropped, like a test that was never awaited. */
async function meddleWith(server: ServerAtHand): Promise<void> {
  const pathname = await testDatabase(server)
  const client = new pg.Client({
    connectionString: Object.assign(new URL(server.url), { pathname }).toString(),
  })
  client.on('error', () => {})
  await client.connect()
  try {
    for (let i = 0; ; i = (i + 1) % 100) {
      const values = [String(i).padStart(2, '0')]
      await client
        .query('INSERT INTO language (code, name) VALUES ($1::text, $1::text)', values)
        .catch((error: unknown) => {
          // The row of the previous iteration still exists.
          if (codeOf(error) !== '23505') throw error
        })
    }
  } catch {
    await client.end().catch(() => {})
  }
}

async function testDatabase(server: ServerAtHand): Promise<string | undefined> {
  return (await leftOn(server)).find((name) => name.endsWith('_1') && !name.includes('_t_'))
}

interface DemoDocument {
  readonly verified: boolean
  readonly schema: { tables: number; order: string[][]; cycles: string[][] }
  readonly generated?: { seed: number; rows: number; leftEmpty: { table: string; reason: string }[] }
  readonly tests: readonly {
    title: string
    wrote?: string
    dirty: string[]
    steps: { kind: string; truncated: boolean }[]
    differences: unknown[]
  }[]
}

function documentIn(stdout: string): DemoDocument {
  return JSON.parse(stdout)
}

describeOn('embedded:18', (server) => {
  it('starts its own server, runs its tests, and verifies the baseline', async () => {
    const { code, stdout } = await afresh(['demo', '--server', 'embedded'])
    expect(code).toBe(0)
    expect(stdout).toContain('embedded')
    expect(stdout).toContain('staff ↺ ⇄ warehouse')
    expect(stdout).toContain('TRUNCATE')
    expect(stdout.match(/equal to the baseline/g)).toHaveLength(6)
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^Done: 6 resets/)
  })

  it('prints one JSON document, and leaves nothing on an existing server', async () => {
    const { code, stdout, stderr } = await afresh(['demo', '--server', server.url, '--rounds', '2', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const { verified, schema, tests } = documentIn(stdout)
    expect(verified).toBe(true)
    expect(schema.tables).toBeGreaterThanOrEqual(25)
    expect(schema.cycles).toContainEqual(['staff', 'warehouse'])
    expect(tests).toHaveLength(12)
    for (const { dirty, differences } of tests) {
      expect(dirty.length).toBeGreaterThan(0)
      expect(differences).toEqual([])
    }
    expect(tests[4]?.dirty).toContain('accounting.invoice_number')
    expect(tests[5]?.steps).toContainEqual(expect.objectContaining({ kind: 'delete', truncated: true }))
    expect(await leftOn(server)).toEqual([])
  })

  it('fails when the database is not at its baseline after a reset, and names the table', async () => {
    const { ended } = await playing(server)
    const meddling = meddleWith(server)
    const { code, output } = await ended
    await meddling
    expect(code).toBe(1)
    expect(output).toMatch(/NOT the baseline: language has \d+ rows, not 30/)
    expect(output.trimEnd().split('\n').at(-1)).toMatch(/^Failed: after \d+ of 60 resets/)
    expect(await leftOn(server)).toEqual([])
  })

  it('generates rows for any schema, reproducible by seed', async () => {
    const args = [
      'demo',
      '--server',
      server.url,
      '--schema',
      'fixtures/demo/schema.sql',
      '--seed',
      '7',
      '--json',
    ]
    const [first, second] = [await afresh(args), await afresh(args)]
    expect(first.code).toBe(0)
    const { generated, tests, verified } = documentIn(first.stdout)
    expect(verified).toBe(true)
    expect(generated?.rows).toBeGreaterThan(300)
    // The one cycle without nullable keys, and the tables that depend on it, are reported as empty.
    expect(generated?.leftEmpty.map(({ table }) => table).sort()).toEqual([
      'shipment',
      'shipment_line',
      'staff',
      'stock',
      'stock_movement',
      'warehouse',
    ])
    const again = documentIn(second.stdout)
    expect(again.generated).toEqual(generated)
    expect(again.tests.map(({ wrote }) => wrote)).toEqual(tests.map(({ wrote }) => wrote))
    expect(await leftOn(server)).toEqual([])
  })

  it('reports the failing line of a schema file, and leaves nothing behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'afresh-demo-'))
    const file = join(folder, 'broken.sql')
    await writeFile(file, 'CREATE TABLE a (id int);\n\nCREATE TABEL b (id int);\n')
    const { code, stdout, stderr } = await afresh(['demo', '--server', server.url, '--schema', file])
    await rm(folder, { recursive: true })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('broken.sql:3:')
    expect(await leftOn(server)).toEqual([])
  })

  it('cleans up when interrupted', async () => {
    const { child, ended } = await playing(server)
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    expect(await leftOn(server)).toEqual([])
  })
})

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('runs the same tests', async () => {
      const { code, stdout } = await afresh(['demo', '--server', server.url, '--json'])
      expect(code).toBe(0)
      const { verified, tests } = documentIn(stdout)
      expect(verified).toBe(true)
      expect(tests).toHaveLength(6)
      for (const { dirty } of tests) expect(dirty.length).toBeGreaterThan(0)
      expect(await leftOn(server)).toEqual([])
    })

    it('generates rows for a schema', async () => {
      const args = ['--schema', 'fixtures/demo/mysql/schema.sql', '--seed', '7', '--json']
      const { code, stdout } = await afresh(['demo', '--server', server.url, ...args])
      expect(code).toBe(0)
      const { generated, verified } = documentIn(stdout)
      expect(verified).toBe(true)
      expect(generated?.rows).toBeGreaterThan(300)
      expect(await leftOn(server)).toEqual([])
    })
  })
}
