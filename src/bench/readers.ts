import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../engine/connection.ts'
import { withCleanUp } from '../errors.ts'
import { keepMemorySmall } from './memory.ts'

/** Connections that ask for a row over and over, and how long the longest of them had to wait for it. */
class Readers {
  readonly #loops: Promise<void>[]
  #longestMs = 0
  #isOver = false

  constructor(connections: readonly Connection[], readOne: string) {
    this.#loops = connections.map((connection) => this.#read(connection, readOne))
  }

  async #read(connection: Connection, readOne: string): Promise<void> {
    while (!this.#isOver) {
      const began = performance.now()
      // A table that is being made again is not there for a moment.
      const isRead = await connection.query(readOne).then(
        () => true,
        () => false,
      )
      this.#longestMs = Math.max(this.#longestMs, performance.now() - began)
      // Minutes of this leave more behind than all else that is measured.
      keepMemorySmall()
      // A connection that is lost fails at once, and would leave nobody else a turn.
      if (!isRead) await sleep(1)
    }
  }

  /** Milliseconds that the longest read took. */
  async stop(): Promise<number> {
    this.#isOver = true
    await Promise.all(this.#loops)
    return this.#longestMs
  }
}

/**
 * Works while somebody reads.
 *
 * @param work tells how long it took, in milliseconds
 * @returns that, and how long the longest read took; `undefined` where nobody reads
 */
export async function whileReading(
  connections: readonly Connection[],
  readOne: string,
  work: () => Promise<number>,
): Promise<{ readonly ms: number; readonly readerWaitMs: number | undefined }> {
  if (connections.length === 0) return { ms: await work(), readerWaitMs: undefined }
  const readers = new Readers(connections, readOne)
  let readerWaitMs = 0
  const ms = await withCleanUp(work, async () => {
    readerWaitMs = await readers.stop()
  })
  return { ms, readerWaitMs }
}
