import type { StatementWay, WayId } from '../engine/bench.ts'
import { withCleanUp } from '../errors.ts'
import { caseOf } from './cases.ts'
import type { Ground } from './ground.ts'

const ROWS = 100

/** By way: the locks that it takes on a table of the base case. Loops take those of DELETE. */
export async function locksOn(ground: Ground, ways: readonly WayId[]): Promise<Record<string, string[]>> {
  const { bench } = ground.engine
  const { shape } = caseOf('base')
  const site = await ground.build(shape)
  return withCleanUp(
    async () => {
      const locks: Record<string, string[]> = {}
      const [other] = await site.others(1)
      if (other === undefined) return locks
      for (const way of ways.filter(isStatement)) {
        const statements = bench.empty(way, shape)
        if (statements === undefined) continue
        await site.connection.query(bench.renew(shape).join(';\n'))
        await site.connection.query(bench.fill(shape, 1, ROWS).join(';\n'))
        // A user may not be told; what keeps a way from being carried out is told when it is measured.
        const taken = await bench
          .locks(site.connection, other, statements, { name: 't1', sql: 't1' })
          .catch(() => [])
        if (taken.length > 0) locks[way] = [...taken]
      }
      return locks
    },
    () => site.close(),
  )
}

function isStatement(way: WayId): way is StatementWay {
  return !way.startsWith('batch-') && way !== 'orm-100' && way !== 'clone'
}
