import { StartedPostgreSqlContainer } from '@testcontainers/postgresql'
import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'
import { urlOf } from '../../servers.ts'
import { type Method, POSTGRES } from '../method.ts'

const SWAPPED = 'the database is another one afterwards; that clients must connect again is not counted'

export const snapshot: Method = {
  id: 'testcontainers-snapshot',
  label: 'testcontainers restoreSnapshot',
  kind: 'peer',
  source: '@testcontainers/postgresql',
  note: SWAPPED,
  engines: POSTGRES,
  containerOnly: true,
  async open({ server, database }) {
    const url = await database('snapshot')
    const { pathname, username, password } = new URL(url)
    const container = new StartedPostgreSqlContainer(
      await startedContainer(server.running.containerId ?? ''),
      pathname.slice(1),
      username,
      password,
    )
    container.withSnapshotName('bench_snapshot_template')
    await container.snapshot()
    return {
      url: () => url,
      swaps: true,
      reset: () => container.restoreSnapshot(),
      close: async () => {},
    }
  },
}

/** A handle of the running container. A snapshot only runs commands inside, as testcontainers does. */
async function startedContainer(id: string): Promise<StartedTestContainer> {
  const runtime = await getContainerRuntimeClient()
  const container = runtime.container.getById(id)
  const exec: StartedTestContainer['exec'] = (command, options) =>
    runtime.container.exec(container, [command].flat(), options)
  return { exec } as StartedTestContainer
}

/**
 * Like @databases/pg-test, pgtestdb, IntegreSQL and Zonky, which differ in who creates the clone, and when.
 */
export const createFromTemplate: Method = {
  id: 'create-template',
  label: 'CREATE DATABASE … TEMPLATE',
  kind: 'peer',
  source: 'statement of @databases/pg-test and others',
  note: `a clone for every test; dropping the last one is not counted; ${SWAPPED}`,
  engines: POSTGRES,
  async open({ server, admin, database }) {
    const template = new URL(await database('clone_template')).pathname.slice(1)
    const drop = (name: string) => admin.run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    const made: string[] = []
    let number = 0
    const clone = async () => {
      const name = `bench_clone_${++number}`
      await admin.run(`CREATE DATABASE ${name} TEMPLATE ${template}`)
      made.push(name)
    }
    const dropBut = async (kept: number) => {
      for (const name of made.splice(0, made.length - kept)) await drop(name)
    }
    await clone()
    return {
      url: () => urlOf(server.running.url, made.at(-1) ?? template),
      swaps: true,
      begin: () => dropBut(1),
      reset: clone,
      close: () => dropBut(0),
    }
  },
}
