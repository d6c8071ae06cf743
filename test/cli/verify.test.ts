import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { builtCli } from '../support/cli.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand, type ServerId } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
let folder: string
beforeAll(async () => {
  afresh = await builtCli()
  folder = mkdtempSync(join(temporaryFolder(), 'afresh-verify-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SERVERS: readonly ServerId[] = ['postgres:18', 'mysql:9.7', 'mariadb:11.8']
const TABLES = ['CREATE TABLE note (id int PRIMARY KEY)', 'INSERT INTO note VALUES (1), (2)']

/** @param version changes the template */
function harnessOn(server: ServerAtHand, version: string) {
  return createHarness({
    server: existing(server.url),
    project: `verify ${version}`,
    migrate: async ({ url }) => {
      for (const sql of TABLES) await ask({ ...server, url }, sql)
    },
    fingerprint: version,
  })
}

async function verify(url: string, ...args: string[]) {
  const result = await afresh(['verify', '--url', url, '--json', ...args], { cwd: folder })
  return { ...result, document: JSON.parse(result.stdout) }
}

for (const id of SERVERS) {
  describeOn(id, (server) => {
    it('compares a leased database with its template, and changes nothing', async () => {
      await using harness = await harnessOn(server, 'leased')
      await using database = await harness.lease()
      const on = { ...server, url: database.url }

      const same = await verify(database.url)
      expect([same.code, same.stderr]).toEqual([0, ''])
      expect(same.document).toMatchObject({
        database: database.name,
        template: harness.handle.template,
        tables: 1,
        differences: [],
      })

      await ask(on, 'INSERT INTO note VALUES (3)')
      await ask(on, 'CREATE TABLE extra (id int)')
      const other = await verify(database.url)
      expect(other.code).toBe(1)
      expect(other.document.differences).toEqual(
        expect.arrayContaining([
          { subject: 'note', difference: 'has 3 rows, not 2' },
          { subject: 'extra', difference: 'is not in the template' },
        ]),
      )
      const plain = await afresh(['verify', '--url', database.url], { cwd: folder })
      expect([plain.code, plain.stdout]).toEqual([1, expect.stringMatching(/^ {2}note +has 3 rows, not 2$/m)])
      expect(await ask(on, 'SELECT id FROM note')).toHaveLength(3)

      // A reset leaves a new table to the test.
      await ask(on, 'DROP TABLE extra')
      await database.reset()
      expect((await verify(database.url)).document.differences).toEqual([])
    })

    it('asks which of several templates is meant', async () => {
      const older = await harnessOn(server, 'two')
      await older.close()
      await using harness = await createHarness({
        server: existing(server.url),
        project: 'verify two',
        migrate: async ({ url }) => void (await ask({ ...server, url }, 'CREATE TABLE other (id int)')),
        fingerprint: 'second',
      })
      await using database = await harness.lease()
      const asked = await verify(database.url)
      expect([asked.code, asked.document.error.next]).toEqual([2, expect.stringContaining('--template')])
      const named = await verify(database.url, '--template', harness.handle.template)
      expect([named.code, named.document.differences]).toEqual([0, []])
      const wrong = await verify(database.url, '--template', older.handle.template)
      expect(wrong.document.differences).toContainEqual({ subject: 'note', difference: 'is gone' })
    })

    it('compares any other database with no rows, but for tables of migration tools', () =>
      withDatabaseOn(server, 'verify_any', async ({ url }) => {
        for (const sql of TABLES) await ask({ ...server, url }, sql)
        await ask({ ...server, url }, 'CREATE TABLE schema_migrations (version int)')
        await ask({ ...server, url }, 'INSERT INTO schema_migrations VALUES (7)')
        const { code, document } = await verify(url)
        expect(code).toBe(1)
        expect(document).toMatchObject({
          leftOut: ['schema_migrations'],
          differences: [{ subject: 'note', difference: 'has 2 rows, not 0' }],
        })
        expect(document.template).toBeUndefined()
        expect((await verify(url, '--keep', 'note')).code).toBe(0)
        expect((await verify(url, '--keep', 'note', '--empty')).document.differences).toHaveLength(1)
      }))
  })
}

describeOn('postgres:18', (server) => {
  it('notices a definition that is not that of the template, and a sequence', async () => {
    await using harness = await createHarness({
      server: existing(server.url),
      project: 'verify definitions',
      migrate: async ({ url }) => void (await ask({ ...server, url }, 'CREATE TABLE note (id serial)')),
      fingerprint: 'definitions',
    })
    await using database = await harness.lease()
    await ask({ ...server, url: database.url }, 'ALTER TABLE note ALTER COLUMN id SET DEFAULT 7')
    await ask({ ...server, url: database.url }, `SELECT nextval('note_id_seq')`)
    const { document } = await verify(database.url)
    expect(document.differences.map(({ subject }: { subject: string }) => subject).toSorted()).toEqual([
      'definitions',
      'note_id_seq',
    ])
  })
})

describe('sqlite', () => {
  it('is compared with no rows', async () => {
    const file = join(folder, 'shop.db')
    writeFileSync(file, '')
    expect(await verify(`sqlite:${file}`)).toMatchObject({ code: 0, document: { differences: [] } })
    await expect(verify(`sqlite:${join(folder, 'nowhere.db')}`)).resolves.toMatchObject({ code: 1 })
  })
})
