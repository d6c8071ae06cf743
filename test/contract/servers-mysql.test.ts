import { allServers, describeOn } from '../support/servers.ts'
import { contract } from './contract.ts'
import { onServer } from './targets.ts'

for (const { id } of allServers)
  if (/^mysql:/.test(id)) describeOn(id, (server) => contract(onServer(server)))
