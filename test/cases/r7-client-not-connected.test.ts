import pg from 'pg'
import { expect, it } from 'vitest'
import { attach, createHarness } from '../../src/index.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'

describeOn('embedded:18', (server) => {
  it('begin and attach refuse a client that is not connected, or was closed', async () => {
    const harness = await createHarness({ server: server.url, strategy: 'rollback' })
    const database = await harness.lease()
    try {
      const refusal = { code: 'usage', message: expect.stringContaining('await client.connect() first') }
      await expect(database.begin(new pg.Client({ connectionString: database.url }))).rejects.toMatchObject(
        refusal,
      )
      const closed = new pg.Client({ connectionString: database.url })
      await closed.connect()
      await closed.end()
      await expect(database.begin(closed)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('was closed'),
      })
      await withDatabaseOn(server, 'r7', async ({ url }) => {
        await expect(attach(new pg.Client({ connectionString: url }))).rejects.toMatchObject(refusal)
      })
    } finally {
      await database.release()
      await harness.close()
    }
  })

  it('begin waits for a client that is connecting', async () => {
    const harness = await createHarness({ server: server.url, strategy: 'rollback' })
    const database = await harness.lease()
    const client = new pg.Client({ connectionString: database.url })
    const connected = client.connect()
    await database.begin(client)
    await connected
    await database.reset()
    await client.end()
    await database.release()
    await harness.close()
  })
})
