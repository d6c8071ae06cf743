/**
 * `runner: 'afresh/vitest/runner'`, instead of the setup file: for vitest 4. The reset is then not a hook, so
 * the configuration of hooks does not affect it, but it runs after the user's own `aroundEach`.
 */
import { VitestTestRunner } from 'vitest/runners'
import { enter, leave, type WorkerHost } from '../core/worker.ts'
import { isConcurrent, rejectUnlessIsolated } from './concurrency.ts'
import { after, before } from './hooks.ts'
import { host } from './provided.ts'
import type { Task } from './task.ts'

type Args<Method extends 'importFile' | 'onBeforeTryTask'> = Parameters<VitestTestRunner[Method]>

/** vitest's own runner, with a database at the baseline before each attempt of a test. */
export default class AfreshRunner extends VitestTestRunner {
  #worker: WorkerHost | undefined
  readonly #over = new Map<object, () => void>()

  /** Leases before the first file, which may be a setup file, is loaded: its code reads DATABASE_URL. */
  override async importFile(...args: Args<'importFile'>): Promise<unknown> {
    if (this.#worker === undefined) {
      const worker = await host()
      await enter(worker)
      this.#worker = worker
    }
    return super.importFile(...args)
  }

  /** Resets the database before each attempt of a test. Concurrent tests have databases of their own. */
  override async onBeforeTryTask(...args: Args<'onBeforeTryTask'>): Promise<void> {
    super.onBeforeTryTask(...args)
    const [task] = args as [Task]
    // Only its fixtures show whether a concurrent test has a database of its own.
    if (!isConcurrent(task)) await before(task, (over) => this.#over.set(task, over))
  }

  /** Runs after all hooks of the test. */
  async onAfterRetryTask(test: Task): Promise<void> {
    try {
      if (isConcurrent(test)) rejectUnlessIsolated(test)
      else await after(test)
    } finally {
      this.#over.get(test)?.()
      this.#over.delete(test)
    }
  }

  /** Gives the worker's database back. */
  override async onAfterRunFiles(): Promise<void> {
    super.onAfterRunFiles()
    const worker = this.#worker
    this.#worker = undefined
    if (worker !== undefined) await leave(worker)
  }
}
