/** Copies on PostgreSQL: CREATE DATABASE … TEMPLATE, and what a slot costs a run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHarness, existing } from '../../src/index.ts'
import { LeasePool } from '../../src/runner/core/service/lease-pool.ts'
import { connect } from '../client.ts'
import type { BenchServer } from '../servers.ts'
import { schemaOf } from '../suite/project.ts'
import type { CopyBench, CopyMethod, CopySize } from './copy-bench.ts'

const COPY = 'afresh_bench_copy'

export async function postgresBench({ running }: BenchServer, size: CopySize): Promise<CopyBench> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-copies-'))
  writeFileSync(join(folder, 'schema.sql'), schemaOf(size))
  const harness = await createHarness({
    cwd: folder,
    server: existing(running.url),
    migrate: 'schema.sql',
    project: 'bench-copies',
  })
  const raw = await connect(running.url)
  const pool = new LeasePool(harness)
  const { template } = harness.handle
  const rawMethod = (strategy: string): CopyMethod => ({
    name: `CREATE DATABASE … STRATEGY ${strategy}`,
    isRaw: true,
    copy: async () =>
      void (await raw.run(`CREATE DATABASE ${COPY} TEMPLATE "${template}" STRATEGY ${strategy}`)),
    remove: async () => void (await raw.run(`DROP DATABASE ${COPY}`)),
  })
  return {
    methods: [rawMethod('FILE_COPY'), rawMethod('WAL_LOG'), newSlot(harness), sameSlot(pool)],
    async close() {
      await pool.close()
      await raw.close()
      await harness.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** The databases stay until the end of the run, as they do for users. */
function newSlot(harness: Awaited<ReturnType<typeof createHarness>>): CopyMethod {
  let slot = 1
  let release = async () => {}
  return {
    name: 'afresh, a new slot',
    isRaw: false,
    async copy() {
      const database = await harness.lease({ slot: ++slot })
      release = () => database.release()
    },
    remove: () => release(),
  }
}

/** The worker's last test file has written to three tables. */
function sameSlot(pool: LeasePool): CopyMethod {
  const take = () => pool.take({ slot: 1, exact: true })
  let name = ''
  return {
    name: 'afresh, the same slot again',
    isRaw: false,
    async prepare() {
      // This reset reads what the other methods wrote to the server's journal.
      const database = await take()
      const client = await connect(database.url)
      await client.run([0, 1, 2].map((no) => `INSERT INTO t${no} (name) VALUES ('a'), ('b')`).join(';'))
      await client.close()
      pool.giveBack(database.name)
    },
    async copy() {
      name = (await take()).name
    },
    async remove() {
      pool.giveBack(name)
    },
  }
}
