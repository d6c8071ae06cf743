/** Copies on MySQL and MariaDB: replayed definitions and INSERT … SELECT, over one or more connections. */
import { readFileSync } from 'node:fs'
import { getContainerRuntimeClient } from 'testcontainers'
import type { Connection } from '../../src/engine/connection.ts'
import { engineNamed } from '../../src/engine/registry.ts'
import { type Connected, connect } from '../client.ts'
import { type BenchServer, urlOf } from '../servers.ts'
import type { CopyBench, CopyMethod, CopySize } from './copy-bench.ts'

const TEMPLATE = 'afresh_bench_template'
const UNFINISHED = 'afresh_bench_unfinished'
const COPY = 'afresh_bench_copy'
const CONNECTIONS = [1, 2, 4]

/** What `mysqldump` puts at the beginning of a dump. */
const UNCHECKED = 'SET foreign_key_checks = 0, unique_checks = 0'

export async function mysqlBench(server: BenchServer, size: CopySize): Promise<CopyBench> {
  const { url, engine: name } = server.running
  const engine = engineNamed(name)
  const { databases } = engine
  if (databases === undefined) throw new Error(`${name} has no databases`)
  const admin = await engine.connect(url)
  const raw = await connect(url)
  const marks = new Map<string, string>()
  for (const template of [TEMPLATE, UNFINISHED]) {
    marks.set(template, await databases.create(admin, template))
    await fill(await connect(urlOf(url, template)), size)
  }
  await databases.freeze(admin, TEMPLATE)
  const methods: CopyMethod[] = [
    ...[TEMPLATE, UNFINISHED].map((template) => afreshWay(template, admin, databases)),
    ...(await rawMethods(server, raw)),
  ]
  return {
    methods,
    cpuMs: await cpuOf(server),
    async close() {
      for (const [template, mark] of marks) await databases.drop(admin, template, mark)
      await raw.close()
      await admin.close()
    },
  }
}

type Databases = NonNullable<ReturnType<typeof engineNamed>['databases']>

/** afresh reads a complete template once, and one that is not complete each time: as the first copy does. */
function afreshWay(template: string, admin: Connection, databases: Databases): CopyMethod {
  let mark = ''
  return {
    name: template === TEMPLATE ? 'afresh' : 'afresh, the first copy of a process',
    isRaw: false,
    copy: async () => {
      mark = await databases.clone(admin, template, COPY)
    },
    remove: () => databases.drop(admin, COPY, mark),
  }
}

async function rawMethods(server: BenchServer, raw: Connected): Promise<CopyMethod[]> {
  const { url } = server.running
  const remove = async () => void (await raw.run(`SET foreign_key_checks = 0; DROP DATABASE ${COPY}`))
  const method = (name: string, isRaw: boolean, copy: () => Promise<void>): CopyMethod => ({
    name,
    isRaw,
    copy,
    remove,
  })
  const kept = await readDefinitions(url)
  return [
    method('CREATE TABLE … LIKE, without foreign keys', false, async () => {
      const like = (table: string) =>
        `CREATE TABLE ${table} LIKE ${TEMPLATE}.${table}; INSERT INTO ${table} SELECT * FROM ${TEMPLATE}.${table}`
      await replay(url, raw, (await tablesOf(url)).map(like), 1)
    }),
    ...CONNECTIONS.flatMap((count) => [
      method(`SHOW CREATE TABLE, ${count} connections`, true, async () =>
        replay(url, raw, await readDefinitions(url), count),
      ),
      method(`definitions read before, ${count} connections`, true, () => replay(url, raw, kept, count)),
    ]),
  ]
}

/** In the order in which they were created: parents first. */
async function tablesOf(url: string): Promise<string[]> {
  const client = await connect(urlOf(url, TEMPLATE))
  const rows = await client.run(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
  )
  await client.close()
  const number = (name: string) => Number(name.slice(1)) || 0
  return rows.map(({ name }) => String(name)).sort((a, b) => number(a) - number(b))
}

/** CREATE TABLE, and INSERT … SELECT where the template has rows. */
async function readDefinitions(url: string): Promise<string[]> {
  const tables = await tablesOf(url)
  const client = await connect(urlOf(url, TEMPLATE))
  const probes = tables.map((table) => `(SELECT '${table}' AS name FROM ${table} LIMIT 1)`)
  const filled = new Set((await client.run(probes.join(' UNION ALL '))).map(({ name }) => name))
  const [results] = await (
    client.handle as { query(sql: string): Promise<[Record<string, string>[][]]> }
  ).query(tables.map((table) => `SHOW CREATE TABLE ${table}`).join(';'))
  await client.close()
  return tables.map((table, index) => {
    const rows = filled.has(table) ? `; INSERT INTO ${table} SELECT * FROM ${TEMPLATE}.${table}` : ''
    return `${results[index]?.[0]?.['Create Table']}${rows}`
  })
}

/** Each connection has neighbouring tables, and sends them in one message. */
async function replay(
  url: string,
  admin: Connected,
  statements: readonly string[],
  connections: number,
): Promise<void> {
  await admin.run(`CREATE DATABASE ${COPY}`)
  const each = Math.ceil(statements.length / connections)
  const blocks = Array.from({ length: connections }, (_, no) => statements.slice(no * each, (no + 1) * each))
  await Promise.all(
    blocks.map(async (block) => {
      const client = await connect(urlOf(url, COPY))
      try {
        await client.run([UNCHECKED, ...block].join(';\n'))
      } finally {
        await client.close()
      }
    }),
  )
}

async function fill(client: Connected, { tables, rows }: CopySize): Promise<void> {
  for (let no = 0; no < tables; no++) {
    const parent = no === 0 ? '' : `, FOREIGN KEY (parent) REFERENCES t${no - 1} (id)`
    await client.run(`CREATE TABLE t${no} (id integer AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL, parent integer,
      created datetime DEFAULT CURRENT_TIMESTAMP, amount decimal(10, 2), note text, UNIQUE KEY (name), KEY (created)${parent})`)
    if (no % 5 === 0) await client.run(`INSERT INTO t${no} (name, amount) VALUES ${rowsOf(0, 20)}`)
  }
  if (rows > 0) {
    const table = `t${tables}`
    await client.run(`CREATE TABLE ${table} (id integer AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL, amount integer,
      UNIQUE KEY (name), KEY (amount))`)
    for (let from = 0; from < rows; from += 10_000) {
      await client.run(
        `INSERT INTO ${table} (name, amount) VALUES ${rowsOf(from, Math.min(10_000, rows - from))}`,
      )
    }
  }
  await client.close()
}

/** The names are in no order, as those of users are not. */
function rowsOf(from: number, count: number): string {
  return Array.from({ length: count }, (_, no) => `('row ${((from + no) * 7919) % 1_000_003}', ${no})`).join(
    ', ',
  )
}

/** Threads of closed connections included. Ticks of 10 ms: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function cpuOf({ running }: BenchServer): Promise<(() => number) | undefined> {
  if (running.containerId === undefined) return undefined
  const runtime = await getContainerRuntimeClient()
  const pid = (await runtime.container.getById(running.containerId).inspect()).State.Pid
  const read = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
  try {
    read()
    return read
  } catch {
    // Another system than Linux, or a container engine on another machine.
    return undefined
  }
}
