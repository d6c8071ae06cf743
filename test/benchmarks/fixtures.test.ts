import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'afresh-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILE_MB = 50
/** The program that loads needs some 60 MB of it for its own code. */
const HEAP_MB = 96

/** Its texts alone would not fit into the heap, and the process would end. */
for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, () => {
    it(`loads ${FILE_MB} MB of CSV with a heap of ${HEAP_MB} MB, every row of it`, () => {
      const out = join(folder, `${id.replace(':', '-')}.json`)
      const options = ['--servers', id, '--mb', String(FILE_MB), '--heap', String(HEAP_MB), '--out', out]
      const run = spawnSync('npx', ['jiti', 'benchmarks/fixtures/run.ts', ...options], {
        cwd: root,
        encoding: 'utf8',
      })
      expect(run.status, run.stdout + run.stderr).toBe(0)
      const { figures, settings } = JSON.parse(readFileSync(out, 'utf8'))
      expect(settings).toMatchObject({ fileMb: expect.any(Number), heapLimitMb: HEAP_MB })
      expect(figures[0]).toMatchObject({ server: id, method: 'afresh', rows: expect.any(Number) })
    })
  })
}
