import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { GenericContainer, Wait } from 'testcontainers'
import { describe, expect, it } from 'vitest'
import { canonicalUrl } from '../../src/engine/socket-url.ts'
import { createHarness } from '../../src/index.ts'
import { parseServer } from '../../src/server/spec.ts'
import { describeOn } from '../support/servers.ts'

describe('URL formats that clients accept', () => {
  it.each([
    ['postgres://user:pw@/db?host=/run/x', 'postgres://user:pw@%2Frun%2Fx/db'],
    ['postgres://user:pw@/db?host=/run/x&port=5433', 'postgres://user:pw@%2Frun%2Fx:5433/db'],
    ['postgres:///db?host=/run/x&user=a&password=b%40c', 'postgres://a:b%40c@%2Frun%2Fx/db'],
    ['postgres://user@localhost/db?host=/run/x', 'postgres://user@%2Frun%2Fx/db'],
    ['socket:/run/x?db=shop', 'postgres://%2Frun%2Fx/shop'],
    ['socket://user:pw@/run/x?db=shop', 'postgres://user:pw@%2Frun%2Fx/shop'],
    ['postgres://u:p@h:5432/db?schema=public&pgbouncer=true', 'postgres://u:p@h:5432/db'],
    ['postgres://u:p@h/db?schema=app&connection_limit=1', 'postgres://u:p@h/db?schema=app'],
    ['postgres://u:p@[::1]:5432/db?pgbouncer=true', 'postgres://u:p@[::1]:5432/db'],
    ['mysql://root@/shop?socket=/run/m.sock', 'mysql://root@localhost/shop?socket=/run/m.sock'],
  ])('%s', (given, canonical) => {
    expect(canonicalUrl(given)).toBe(canonical)
    expect(parseServer(given)).toMatchObject({ kind: 'existing', url: canonical })
  })

  it.each([
    'postgres://u:p@localhost:5432/db',
    'postgres://u:p@localhost:5432/db?sslmode=require',
    'mysql://root@localhost/shop?socket=/run/m.sock',
    'file:shop.db',
  ])('%s stays unchanged', (url) => expect(canonicalUrl(url)).toBe(url))
})

describeOn('postgres:18', () => {
  it('connects to a server by its socket with each format', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'afresh-s3-'))
    chmodSync(folder, 0o777)
    const container = await new GenericContainer('postgres:18')
      .withEnvironment({ POSTGRES_PASSWORD: 'secret' })
      .withBindMounts([{ source: folder, target: '/var/run/postgresql' }])
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start()
    try {
      for (const server of [
        `postgres://postgres:secret@/postgres?host=${folder}`,
        `socket://postgres:secret@${folder}?db=postgres`,
      ]) {
        const harness = await createHarness({ server })
        const database = await harness.lease()
        const client = new pg.Client({ connectionString: database.url })
        await client.connect()
        expect(client.host).toBe(folder)
        expect((await client.query('SELECT current_database() AS name')).rows).toEqual([
          { name: database.name },
        ])
        await client.end()
        expect(database.env).toMatchObject({ PGHOST: folder, PGDATABASE: database.name })
        await database.reset()
        await database.release()
        await harness.close()
      }
    } finally {
      await container.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
