import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileBench } from '../engine/bench-dialect.ts'
import type { Engine } from '../engine/engine.ts'
import { withCleanUp } from '../errors.ts'
import { registerCleanup } from '../server/cleanup.ts'
import { folderInMemory } from '../util/shared-memory.ts'
import type { BenchServer } from './bench-server.ts'
import type { Storage } from './cases.ts'

/**
 * Creates databases as files in temporary folders. In this process, millions of rows would take its memory.
 *
 * @param engine has `bench.file`
 */
export async function openBenchFiles(
  engine: Engine,
  file: FileBench,
  storage: Storage,
): Promise<BenchServer> {
  const connection = await engine.connect(file.urlOf(':memory:'))
  const version = await withCleanUp(
    () => file.version(connection),
    () => connection.close(),
  )
  const inMemory = storage === 'memory' ? folderInMemory() : undefined
  const { sql, description } = file.settings(storage === 'durable')
  return {
    engine,
    version,
    settings: { version, ...Object.fromEntries([description.split(' ')]) },
    async build(shape) {
      const folder = mkdtempSync(join(inMemory ?? tmpdir(), 'afresh-bench-'))
      // Otherwise the folder would stay in memory if this process were killed.
      const registration = await registerCleanup({ kind: 'folder', path: folder })
      const path = join(folder, 'bench.db')
      writeFileSync(path, '') // the connection requires an existing file
      const own = await engine.connect(file.urlOf(path))
      await own.query(sql)
      await own.query(engine.bench.create(shape).join(';\n'))
      return {
        connection: own,
        others: async () => [],
        close: async () => {
          await own.close()
          rmSync(folder, { recursive: true, force: true })
          await registration.release()
        },
      }
    },
    calibrate: async () => {},
    close: async () => {},
  }
}
