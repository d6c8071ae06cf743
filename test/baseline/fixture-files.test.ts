import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe } from 'vitest'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'
import { fixtureContract } from './fixture-contract.ts'
import { onPglite, onServer, onSqlite } from './fixture-targets.ts'

for (const { id } of oneOfEach) describeOn(id, (server) => fixtureContract(onServer(server)))

describe('pglite', () => {
  let instance: PGlite
  beforeAll(async () => {
    instance = await PGlite.create()
  })
  afterAll(() => instance.close())
  fixtureContract(onPglite(() => instance))
})

describeSqlite(({ open }) => fixtureContract(onSqlite(open)))
