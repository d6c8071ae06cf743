import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'

/** Position of the WAL or redo log, and size of the files, in bytes; `undefined` if not readable. */
export interface StorageMetrics {
  journal(connection: Connection): Promise<number | undefined>
  bytes(connection: Connection): Promise<number | undefined>
}

/** @param connection of the user that will read the metrics */
export async function storageMetricsOf({ bench }: Engine, connection: Connection): Promise<StorageMetrics> {
  const nobody = async () => undefined
  const ifAllowed = async (look: StorageMetrics['journal']) => {
    const isAllowed = await look(connection).then(
      () => true,
      () => false,
    )
    return isAllowed ? look : nobody
  }
  return { journal: await ifAllowed(bench.journal), bytes: await ifAllowed(bench.bytes) }
}

/** The increase, if both values are known. */
export function growth(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : Math.max(0, after - before)
}
