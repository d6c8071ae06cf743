import type { MethodId, StatementMethod } from '../engine/bench-dialect.ts'
import { withCleanUp } from '../errors.ts'
import type { BenchServer } from './bench-server.ts'
import { caseOf } from './cases.ts'

const ROWS = 100

/** The locks that each method takes on a table of the base case. Loops take the same locks as DELETE. */
export async function locksOn(
  benchServer: BenchServer,
  methods: readonly MethodId[],
): Promise<Record<string, string[]>> {
  const { bench } = benchServer.engine
  const { shape } = caseOf('base')
  const benchDatabase = await benchServer.build(shape)
  return withCleanUp(
    async () => {
      const locks: Record<string, string[]> = {}
      const [other] = await benchDatabase.others(1)
      if (other === undefined) return locks
      for (const method of methods.filter(isStatement)) {
        const statements = bench.empty(method, shape)
        if (statements === undefined) continue
        await benchDatabase.connection.query(bench.renew(shape).join(';\n'))
        await benchDatabase.connection.query(bench.fill(shape, 1, ROWS).join(';\n'))
        // The user may not be allowed to see locks. If a method fails, its measurement reports why.
        const taken = await bench
          .locks(benchDatabase.connection, other, statements, { name: 't1', sql: 't1' })
          .catch(() => [])
        if (taken.length > 0) locks[method] = [...taken]
      }
      return locks
    },
    () => benchDatabase.close(),
  )
}

function isStatement(method: MethodId): method is StatementMethod {
  return !method.startsWith('batch-') && method !== 'orm-100' && method !== 'clone'
}
