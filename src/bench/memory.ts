import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** 1.5 times the live heap while the results of seven servers are measured and drawn. */
const ENOUGH_BYTES = 56 * 2 ** 20

let collect: unknown
let aliveBytes = 0

/**
 * Collects garbage once it is a considerable part of the live heap. V8 waits until it is several times as
 * large: thousands of queries, and a hundred drawn charts, survive the young generation and would take 100
 * MB. Node has no other way to request a collection without a flag on the command line.
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
