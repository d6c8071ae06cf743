import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../engine/connection.ts'
import { withCleanUp } from '../errors.ts'
import { keepMemorySmall } from './memory.ts'

/** Connections that read a row repeatedly, and how long each read took. */
class Readers {
  readonly #loops: Promise<void>[]
  readonly #waitsMs: number[] = []
  #isOver = false

  constructor(connections: readonly Connection[], readOne: string) {
    this.#loops = connections.map((connection) => this.#read(connection, readOne))
  }

  async #read(connection: Connection, readOne: string): Promise<void> {
    while (!this.#isOver) {
      const began = performance.now()
      // A table that is being recreated is missing for a moment.
      const isRead = await connection.query(readOne).then(
        () => true,
        () => false,
      )
      this.#waitsMs.push(performance.now() - began)
      // Minutes of reading leave more garbage than everything else that is measured.
      keepMemorySmall()
      // A lost connection fails at once, and would monopolize the event loop.
      if (!isRead) await sleep(1)
    }
  }

  /** Stops reading. Returns the milliseconds of each read. */
  async stop(): Promise<readonly number[]> {
    this.#isOver = true
    await Promise.all(this.#loops)
    return this.#waitsMs
  }
}

/**
 * Runs `work` while the connections read.
 *
 * @param work returns its duration in milliseconds
 * @returns that duration and the milliseconds of each read; none without readers
 */
export async function whileReading(
  connections: readonly Connection[],
  readOne: string,
  work: () => Promise<number>,
): Promise<{ readonly ms: number; readonly waitsMs: readonly number[] }> {
  if (connections.length === 0) return { ms: await work(), waitsMs: [] }
  const readers = new Readers(connections, readOne)
  let waitsMs: readonly number[] = []
  const ms = await withCleanUp(work, async () => {
    waitsMs = await readers.stop()
  })
  return { ms, waitsMs }
}
