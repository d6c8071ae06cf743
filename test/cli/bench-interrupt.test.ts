import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseResults } from '../../src/bench/results.ts'
import { open } from '../../src/engine/registry.ts'
import { ask } from '../support/ask.ts'
import { builtCli, CLI_MAIN } from '../support/cli.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { eventually } from '../support/eventually.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

const folder = mkdtempSync(join(tmpdir(), 'afresh-interrupt-'))
beforeAll(async () => void (await builtCli()))
afterAll(() => rmSync(folder, { recursive: true }))

async function databasesOn(server: ServerAtHand): Promise<string[] | undefined> {
  const { engine, connection } = await open(server.url)
  try {
    return (await engine.databases?.list(connection))?.map(({ name }) => name).sort()
  } finally {
    await connection.close()
  }
}

for (const id of ['embedded:18', 'mysql:9.7'] as const) {
  describeOn(id, (server) => {
    it('drops its copy of a database when interrupted, and keeps its results', () =>
      withDatabaseOn(server, 'somebodys_cut', async (source) => {
        await ask(source, 'CREATE TABLE plenty (id int PRIMARY KEY); CREATE TABLE more (id int PRIMARY KEY)')
        const before = await databasesOn(server)
        const out = join(folder, server.engine)
        const args = ['bench', '--url', source.url, '--out', out, '--rounds', '3', '--budget', '0.2']
        const child = spawn(process.execPath, [CLI_MAIN, ...args], {
          env: { ...process.env, NODE_ENV: 'test', AFRESH_CACHE_DIR: folder },
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        let said = ''
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text
        })
        const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
        await eventually(() => /1\/2 {2}\w+, 100 rows/.test(said) || undefined)
        expect(await databasesOn(server)).not.toEqual(before)
        child.kill('SIGINT')
        expect(await ended, said).toBe(130)
        expect(said).toMatch(/drops what it made on the server[\s\S]*Stopped\. What was measured is in /)
        expect(await databasesOn(server)).toEqual(before)
        const cut = parseResults(readFileSync(join(out, 'results.json'), 'utf8'), 'it')
        expect(cut.complete).toBe(false)
        expect(cut.cells.length).toBeGreaterThan(0)
      }))
  })
}
