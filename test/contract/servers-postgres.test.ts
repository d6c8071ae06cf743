import { beforeAll, describe } from 'vitest'
import { ask } from '../support/ask.ts'
import { allServers, describeOn } from '../support/servers.ts'
import { contract } from './contract.ts'
import { onServer } from './targets.ts'

for (const { id } of allServers)
  if (!/^(mysql|mariadb):/.test(id)) describeOn(id, (server) => contract(onServer(server)))

// Constraints and triggers stay enabled: the role may only create databases.
for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (server) => {
    describe('without superuser', () => {
      const role = 'afresh_contract_role'
      beforeAll(async () => {
        await ask(server, `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'pw'`)
      })
      const url = server.url.replace(/\/\/[^@]*@/, `//${role}:pw@`)
      contract({ ...onServer({ ...server, url }), repairs: false })
    })
  })
}
