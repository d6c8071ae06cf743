import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Half as much again as is alive while results of seven servers are measured and drawn. */
const ENOUGH_BYTES = 56 * 2 ** 20

let collect: unknown
let aliveBytes = 0

/**
 * Frees what is dead once it is a good part of what is alive. V8 waits for several times of that: thousands of queries, and a
 * hundred drawn charts, each outlive its young generation and would take 100 MB for nothing. Node has no other way to ask
 * for it that works without a flag on the command line.
 */
export function keepMemorySmall(): void {
  if (getHeapStatistics().used_heap_size < Math.max(ENOUGH_BYTES, 1.4 * aliveBytes)) return
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('globalThis.gc')
  }
  if (typeof collect === 'function') collect()
  aliveBytes = getHeapStatistics().used_heap_size
}
