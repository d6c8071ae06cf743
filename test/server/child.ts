import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { getContainerRuntimeClient } from 'testcontainers'
import { CLEANUP_LABEL } from '../../src/server/cleanup-process.ts'
import type { ServerSpec } from '../../src/server/server.ts'
import { transpiledFolder } from '../support/transpiled.ts'

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))

export interface Event {
  starting?: true
  url?: string
  engine?: string
  code?: string
  message?: string
}

/** A process that starts a server. A mark identifies the process and everything that it starts. */
export class Child {
  /** Its own temporary folder and cache. */
  readonly folder = mkdtempSync(join(tmpdir(), 'afresh-test-'))
  readonly #mark = randomUUID()
  readonly #process: ChildProcess
  readonly #events: Event[] = []
  #ended = false

  constructor(
    spec: ServerSpec,
    then: 'hold' | 'exit' | 'stop',
    options: { sources?: string; environment?: Record<string, string> } = {},
  ) {
    chmodSync(this.folder, 0o755)
    const marked =
      spec.kind === 'container' ? { ...spec, environment: { ...spec.environment, MARK: this.#mark } } : spec
    const script = fileURLToPath(new URL('./child.mjs', import.meta.url))
    this.#process = spawn(
      process.execPath,
      [script, options.sources ?? SOURCES, JSON.stringify(marked), then],
      {
        cwd: this.folder,
        detached: true, // process group for interrupt()
        env: {
          ...process.env,
          TMPDIR: this.folder,
          MARK: this.#mark,
          TRANSPILED: transpiledFolder(),
          ...options.environment,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    this.#process.once('close', () => {
      this.#ended = true
    })
    if (this.#process.stdout === null) throw new Error('no pipe')
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#events.push(JSON.parse(line)))
  }

  /** Waits for the first event that satisfies `test`. */
  async event(test: (event: Event) => boolean): Promise<Event> {
    await until(() => this.#ended || this.#events.some(test), 60_000)
    const found = this.#events.find(test)
    if (found === undefined) throw new Error(`the child ended; it said ${JSON.stringify(this.#events)}`)
    return found
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Interrupts the whole process group, as a terminal does at Ctrl-C. */
  interrupt(): void {
    process.kill(-(this.#process.pid ?? Number.NaN), 'SIGINT')
  }

  async ended(): Promise<void> {
    await until(() => this.#ended, 60_000)
  }

  /** Everything of it that exists now: processes (including the cleanup process), containers, files. */
  async traces(): Promise<string[]> {
    return [...this.#processes(), ...(await this.containers()), ...this.#files()]
  }

  async containers(): Promise<string[]> {
    const client = await getContainerRuntimeClient().catch(() => undefined)
    const found =
      (await client?.container.dockerode.listContainers({
        all: true,
        filters: { label: [CLEANUP_LABEL] },
      })) ?? []
    const marks = await Promise.all(
      found.map(async ({ Id }) => {
        const container = await client?.container.dockerode
          .getContainer(Id)
          .inspect()
          .catch(() => undefined)
        return container?.Config.Env.includes(`MARK=${this.#mark}`) === true ? [`container ${Id}`] : []
      }),
    )
    return marks.flat()
  }

  #files(): string[] {
    try {
      return readdirSync(this.folder, { recursive: true }).map(String)
    } catch {
      return ['a folder that is being removed right now'] // removed while it was read
    }
  }

  #processes(): string[] {
    return readdirSync('/proc').flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        // The environment of a server is clean, but its data is in the folder.
        const isOurs = environment.includes(`MARK=${this.#mark}`) || command.includes(`-D\0${this.folder}`)
        return isOurs ? [`process ${command}`] : []
      } catch {
        return [] // not a process, or it ended
      }
    })
  }

  remove(): void {
    if (!this.#ended) this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Waits until the condition holds, checking every 20 ms. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`)
    await sleep(20)
  }
}
