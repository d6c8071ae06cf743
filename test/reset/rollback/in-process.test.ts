import { PGlite } from '@electric-sql/pglite'
import { describe, expect, it } from 'vitest'
import { attach } from '../../../src/index.ts'
import { openSqlite } from '../../support/sqlite.ts'

describe('strategy rollback', () => {
  it('is refused for a handle in this process', async () => {
    const pglite = await PGlite.create()
    for (const client of [pglite, ...openSqlite().map((opened) => opened.client)]) {
      await expect(attach(client, { strategy: 'rollback' })).rejects.toMatchObject({ code: 'usage' })
      await using database = await attach(client)
      await expect(database.begin(client)).rejects.toThrow(/was not asked for/)
      await database.release()
      await expect(database.begin(client)).rejects.toThrow(/was released/)
    }
    await pglite.close()
  })
})
