import { ANYWHERE } from '../engine/bench.ts'
import type { Connection } from '../engine/engine.ts'

/** Connections that read a row over and over, and how long the longest of them had to wait for it. */
export class Readers {
  readonly #loops: Promise<void>[]
  #longestMs = 0
  #isOver = false

  constructor(connections: readonly Connection[]) {
    this.#loops = connections.map((connection) => this.#read(connection))
  }

  async #read(connection: Connection): Promise<void> {
    while (!this.#isOver) {
      const began = performance.now()
      // A table that is being made again is not there for a moment.
      await connection.query(ANYWHERE.readOne).catch(() => {})
      this.#longestMs = Math.max(this.#longestMs, performance.now() - began)
    }
  }

  /** Milliseconds that the longest read took. */
  async stop(): Promise<number> {
    this.#isOver = true
    await Promise.all(this.#loops)
    return this.#longestMs
  }
}
