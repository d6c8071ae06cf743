import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { AfreshError } from '../errors.ts'
import {
  CLEANUP_LABEL,
  type CleanupCommand,
  cleanupProcess,
  type Linger,
  processesWithDataIn,
  type Resource,
  removeContainers,
  removeFolder,
} from './cleanup-process.ts'

/** A resource that the cleanup process removes when this process ends. */
export interface Registration {
  /** Ends the registration; to be called after the resource was removed. */
  release(): Promise<void>
  /** The cleanup process removes the resource later. Throws `AfreshError` (`server`) as `registerCleanup` does. */
  linger(linger: Linger): Promise<void>
}

/**
 * Registers a resource with the cleanup process **before** it is created: however this process ends (SIGKILL,
 * Ctrl-C, a crash), the cleanup process removes the resource.
 *
 * @throws AfreshError `server` if the cleanup process cannot be started
 */
export async function registerCleanup(resource: Resource): Promise<Registration> {
  const id = randomUUID()
  await register({ id, resource })
  return {
    async release() {
      registered.delete(id)
      if (child !== undefined) await written(child, { id })
    },
    linger: (linger) => register({ id, resource, linger }),
  }
}

async function register(command: CleanupCommand): Promise<void> {
  registered.set(command.id, command)
  if (child === undefined || !(await written(child, command))) await startCleanupProcess()
}

const registered = new Map<string, CleanupCommand>()
let child: ChildProcess | undefined

/** Starts the first cleanup process, or replaces one that was killed, and registers all resources with it. */
async function startCleanupProcess(): Promise<void> {
  const started = spawnCleanupProcess()
  child = started
  for (const command of registered.values()) {
    if (await written(started, command)) continue
    throw new AfreshError(
      'server',
      'The process that removes servers when this one is killed did not start.',
      {
        next: `See whether ${process.execPath} can be run from here; nothing is started without it.`,
      },
    )
  }
}

const SCRIPT = `(${cleanupProcess})(${removeContainers}, ${removeFolder}, ${processesWithDataIn}, ${JSON.stringify(CLEANUP_LABEL)})`

function spawnCleanupProcess(): ChildProcess {
  // `detached`: a session of its own, which Ctrl-C in the terminal does not reach.
  const started = spawn(process.execPath, ['-e', SCRIPT], {
    cwd: tmpdir(),
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'ignore', 'ignore'],
    windowsHide: true,
  })
  const forget = () => {
    if (child === started) child = undefined
  }
  started.once('error', forget).once('exit', forget)
  started.stdin?.on('error', forget)
  // Neither the process nor the pipe to it may keep this process alive.
  started.unref()
  if (started.stdin !== null && 'unref' in started.stdin) (started.stdin as { unref(): void }).unref()
  return started
}

/** Whether the line is in the pipe: the cleanup process reads it even if this process ends right after. */
function written(to: ChildProcess, command: CleanupCommand): Promise<boolean> {
  return new Promise((resolve) => {
    if (to.stdin?.writable !== true) return resolve(false)
    to.stdin.write(`${JSON.stringify(command)}\n`, (error) => resolve(!error))
  })
}
