import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { builtCli } from '../support/cli.ts'
import { describeOn, type ServerAtHand, type ServerId } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
let folder: string
beforeAll(async () => {
  afresh = await builtCli()
  folder = mkdtempSync(join(temporaryFolder(), 'afresh-status-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PROJECT = 'cleanup'

const harnessOn = (server: ServerAtHand) =>
  createHarness({
    server: existing(server.url),
    project: PROJECT,
    migrate: async ({ url }) => void (await ask({ ...server, url }, 'CREATE TABLE note (id int)')),
    fingerprint: 'status and clean',
  })

interface Entry {
  readonly name: string
  readonly kind: string
  readonly bytes?: number
  readonly lease?: { readonly process?: number; readonly ageMs?: number }
  readonly isRemovable: boolean
}

const SERVERS: readonly ServerId[] = ['postgres:18', 'mysql:9.7', 'mariadb:11.8']

for (const id of SERVERS) {
  describeOn(id, (server) => {
    const run = async (...args: string[]) => {
      const result = await afresh([...args, '--url', server.url, '--json'], { cwd: folder })
      return { ...result, document: JSON.parse(result.stdout) }
    }
    /** Those of this project: other tests use the same server. */
    const own = (document: { servers: { databases: Entry[] }[] }): Entry[] =>
      document.servers
        .flatMap(({ databases }) => databases)
        .filter(({ name }) => name.startsWith(`afresh_${PROJECT}_`))

    it('shows leases with their process, and drops nothing that a run uses', async () => {
      await using harness = await harnessOn(server)
      await using database = await harness.lease()
      const { code, stderr, document } = await run('status')
      expect([code, stderr]).toEqual([0, ''])
      const found = own(document)
      expect(found.find(({ name }) => name === database.name)).toMatchObject({
        kind: 'database',
        isRemovable: false,
        lease: { process: process.pid, ageMs: expect.any(Number) },
      })
      const template = { name: harness.handle.template, kind: 'template', isRemovable: false }
      expect(found).toContainEqual(expect.objectContaining(template))
      for (const { bytes } of found) expect(bytes).toBeGreaterThanOrEqual(0)

      const cleaned = await run('clean', '--yes')
      expect([cleaned.code, own(cleaned.document)]).toEqual([0, []])
      await database.reset()
      expect(await database.verify()).toEqual([])
    })

    it('drops the template when no run is there any more, after a dry run that changes nothing', async () => {
      const harness = await harnessOn(server)
      await harness.close()
      const { template } = harness.handle
      const names = async () => own((await run('status')).document).map(({ name }) => name)
      expect(await names()).toEqual([template])

      const dry = await run('clean', '--dry-run')
      expect(own(dry.document)).toMatchObject([{ name: template, isRemovable: true }])
      expect(dry.document.dropped).toEqual([])
      expect(await names()).toEqual([template])

      const unasked = await run('clean')
      expect([unasked.code, unasked.document.error.next]).toEqual([2, expect.stringContaining('--yes')])
      expect(await names()).toEqual([template])

      const done = await run('clean', '--yes')
      expect([done.code, done.stderr]).toEqual([0, ''])
      expect(done.document.dropped).toContain(template)
      expect(await names()).toEqual([])
    })

    it('shows copies that were kept, and drops them', async () => {
      await using harness = await harnessOn(server)
      await using database = await harness.lease()
      const copy = await database.keepCopy()
      const found = own((await run('status')).document)
      expect(found).toContainEqual(
        expect.objectContaining({
          name: copy?.name,
          kind: 'kept',
          ageMs: expect.any(Number),
          isRemovable: true,
        }),
      )
      const { document } = await run('clean', '--yes')
      expect(document.dropped).toEqual([copy?.name])
      expect(own((await run('status')).document).map(({ kind }) => kind)).not.toContain('kept')
    })

    it('says the same in words', async () => {
      await using harness = await harnessOn(server)
      await using database = await harness.lease()
      const { stdout } = await afresh(['status', '--url', server.url], { cwd: folder })
      const line = new RegExp(
        `^  ${database.name} +database +\\S+ \\w+ +\\d+ s +leased for \\d+ s by process ${process.pid} `,
        'm',
      )
      expect(stdout).toMatch(line)
      expect(stdout).toMatch(
        new RegExp(`^  ${harness.handle.template} +template .* an active run may use it$`, 'm'),
      )
      expect(stdout).toMatch(/^`afresh clean` would drop \d+ databases?\.$/m)
      expect(stdout).not.toContain(new URL(server.url).password)
    })
  })
}

describeOn('embedded:18', (server) => {
  it('shows and drops the template of the migrations alone like that of the baseline', async () => {
    const project = 'layered'
    writeFileSync(join(folder, 'schema.sql'), 'CREATE TABLE note (id int)')
    writeFileSync(join(folder, 'note.csv'), 'id\n1\n')
    const harness = await createHarness({
      ...{ server: existing(server.url), project, cwd: folder },
      ...{ migrate: 'schema.sql', fixtures: 'note.csv' },
    })
    await harness.close()
    const found = async (...command: string[]) => {
      const { stdout } = await afresh([...command, '--url', server.url, '--json'], { cwd: folder })
      return JSON.parse(stdout)
    }
    const names = async (): Promise<string[]> =>
      (await found('status')).servers
        .flatMap(({ databases }: { databases: Entry[] }) => databases)
        .filter(({ kind, isRemovable }: Entry) => kind === 'template' && isRemovable)
        .map(({ name }: Entry) => name)
        .filter((name: string) => name.startsWith(`afresh_${project}_t_`))
    const both = await names()
    expect(both).toHaveLength(2)
    expect(both).toContain(harness.handle.template)
    const { dropped } = await found('clean', '--yes')
    expect(dropped).toEqual(expect.arrayContaining(both))
    expect(await names()).toEqual([])
  })

  it('looks at the server of the configuration, the embedded servers and the cache', async () => {
    writeFileSync(
      join(folder, 'afresh.config.mjs'),
      `export default { server: ${JSON.stringify(server.url)} }\n`,
    )
    const { code, stdout, stderr } = await afresh(['status', '--json'], { cwd: folder })
    rmSync(join(folder, 'afresh.config.mjs'))
    expect([code, stderr]).toEqual([0, ''])
    const status = JSON.parse(stdout)
    expect(status.servers).toMatchObject([{ title: expect.stringMatching(/^existing: 127\.0\.0\.1/) }])
    const [row] = await ask(server, "SELECT current_setting('data_directory') AS data")
    // Other tests start and stop servers of their own meanwhile.
    const own = status.embedded.find(({ folder }: { folder: string }) =>
      String(row?.data).startsWith(`${folder}/`),
    )
    expect(own?.processes.length).toBeGreaterThan(0)
    expect(status.cache.entries.map(({ name }: { name: string }) => name)).toContainEqual(
      expect.stringMatching(/^cluster-/),
    )
  })

  it('refuses to clean in production', async () => {
    const env = { NODE_ENV: 'production' }
    const { code, stderr } = await afresh(['clean', '--yes', '--url', server.url], { env, cwd: folder })
    expect([code, stderr]).toEqual([3, expect.stringContaining('NODE_ENV is "production"')])
  })

  describe('a database without a valid mark', () => {
    const name = 'afresh_cleanup_abcdefghij_1'
    beforeAll(async () => {
      await ask(server, `CREATE DATABASE ${name}`)
      await ask(server, `COMMENT ON DATABASE ${name} IS 'afresh:v1:1:2:made-00'`)
    })
    afterAll(async () => void (await ask(server, `DROP DATABASE ${name}`)))

    it('is neither shown nor dropped, whatever its name', async () => {
      const args = ['--url', server.url, '--json']
      const { stdout } = await afresh(['status', ...args], { cwd: folder })
      expect(stdout).not.toContain(name)
      await afresh(['clean', '--yes', ...args], { cwd: folder })
      expect(await ask(server, `SELECT 1 AS n FROM pg_database WHERE datname = '${name}'`)).toHaveLength(1)
    })
  })
})
