import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Figures, Order, Start } from './child.ts'

type Answer = { done: unknown } | { failed: string }

const JITI = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs')

/** The method exceeded its time budget. */
export class OverBudget extends Error {
  constructor(readonly seconds: number) {
    super(`stopped after ${seconds} s`)
  }
}

/** The process of one method. */
export class Worker {
  readonly #child: ChildProcess
  #errors = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    // A send may fail because the process has exited; the exit is reported separately.
    child.on('error', () => {})
    child.stderr?.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data.toString()).slice(-2000)
    })
  }

  static async begin(start: Start): Promise<Worker> {
    // Without `--import jiti/register`: MikroORM requires modules in a way that its loader does not support.
    const child = fork(JITI, [join(import.meta.dirname, 'child.ts')], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const worker = new Worker(child)
    try {
      await worker.#request({ do: 'open', start })
      return worker
    } catch (error) {
      worker.kill()
      throw error
    }
  }

  /** @throws OverBudget when it takes longer; the process is killed */
  async erase(budgetSeconds: number | undefined): Promise<Figures> {
    let timer: NodeJS.Timeout | undefined
    const overBudget = new Promise<never>((_, reject) => {
      if (budgetSeconds === undefined) return
      timer = setTimeout(() => {
        reject(new OverBudget(budgetSeconds))
        this.kill()
      }, budgetSeconds * 1000)
    })
    try {
      return (await Promise.race([this.#request({ do: 'erase' }), overBudget])) as Figures
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    if (!this.#child.connected) return
    await this.#request({ do: 'close' }).catch(() => {})
    if (this.#child.connected) this.#child.disconnect()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #request(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#child.off('message', onMessage)
        this.#child.off('exit', onExit)
      }
      const onMessage = (answer: unknown) => {
        done()
        const given = answer as Answer
        if ('done' in given) resolve(given.done)
        else reject(new Error(given.failed))
      }
      const onExit = (code: number | null, signal: string | null) => {
        done()
        reject(new Error(this.#ending(code, signal)))
      }
      this.#child.on('message', onMessage)
      this.#child.on('exit', onExit)
      if (!this.#child.connected) onExit(this.#child.exitCode, this.#child.signalCode)
      else this.#child.send(order)
    })
  }

  #ending(code: number | null, signal: string | null): string {
    const heap = /JavaScript heap out of memory/.test(this.#errors)
    if (heap) return 'out of memory (the heap of Node, as it is by default)'
    return `its process ended (${signal ?? code}) ${lastError(this.#errors)}`.trim()
  }
}

/** The last error in Node's output. */
function lastError(text: string): string {
  return text.match(/^\w*Error\b.*$/m)?.[0] ?? ''
}
