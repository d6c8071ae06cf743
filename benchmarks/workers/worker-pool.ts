import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { LoopFigures, Order, ResetFigures, Start } from './worker.ts'

type Answer = { done: unknown } | { failed: string }

/** Several worker processes that get commands at the same time. */
export class WorkerPool implements AsyncDisposable {
  readonly #workers: readonly ChildProcess[]

  private constructor(workers: readonly ChildProcess[]) {
    this.#workers = workers
  }

  static async begin(count: number, start: Omit<Start, 'number'>): Promise<WorkerPool> {
    const workers = Array.from({ length: count }, () =>
      fork(join(import.meta.dirname, 'worker.ts'), {
        cwd: join(import.meta.dirname, '../..'),
        execArgv: ['--import', 'jiti/register'],
      }),
    )
    const pool = new WorkerPool(workers)
    try {
      await pool.#all((index) => ({ ...start, number: index + 1 }))
      return pool
    } catch (error) {
      pool.#kill()
      throw error
    }
  }

  async write(): Promise<void> {
    await this.#all(() => ({ do: 'write' }))
  }

  async reset(by: 'reset' | 'hand'): Promise<ResetFigures[]> {
    return (await this.#all(() => ({ do: by }))) as ResetFigures[]
  }

  async loop(forMs: number): Promise<LoopFigures[]> {
    return (await this.#all(() => ({ do: 'loop', forMs }))) as LoopFigures[]
  }

  /** Sends to all workers first; resolves when the last has responded. */
  async #all(message: (index: number) => Order | Start): Promise<unknown[]> {
    return Promise.all(this.#workers.map((worker, index) => request(worker, message(index))))
  }

  /**
   * For failures: the connections of the other workers would keep them alive. A lease ends with its
   * connection.
   */
  #kill(): void {
    for (const worker of this.#workers) worker.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#all(() => ({ do: 'stop' }))
      for (const worker of this.#workers) worker.disconnect()
    } catch (error) {
      this.#kill()
      throw error
    }
  }
}

function request(worker: ChildProcess, message: Order | Start): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a worker ended with ${code}`))
    worker.once('exit', ended)
    worker.once('message', (answer: Answer) => {
      worker.off('exit', ended)
      if ('failed' in answer) reject(new Error(`a worker failed: ${answer.failed}`))
      else resolve(answer.done)
    })
    worker.send(message)
  })
}
