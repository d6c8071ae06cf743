import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { AfreshError } from '../errors.ts'
import { LABEL, type Order, processesWithDataIn, type Resource, removeContainers, warden } from './warden.ts'

/**
 * Puts a resource into the warden's custody **before** it is made: should this process end in whatever way
 * (SIGKILL, Ctrl-C, a crash), the warden removes it.
 *
 * @returns ends the custody, after the resource was removed in an orderly way
 * @throws AfreshError `server` where the warden cannot be started
 */
export async function takeCustody(resource: Resource): Promise<() => Promise<void>> {
  const id = randomUUID()
  held.set(id, resource)
  if (child === undefined || !(await written(child, { id, resource }))) await startWarden()
  return async () => {
    held.delete(id)
    if (child !== undefined) await written(child, { id })
  }
}

const held = new Map<string, Resource>()
let child: ChildProcess | undefined

/** The first one, or somebody killed the last: it gets to know of everything. */
async function startWarden(): Promise<void> {
  const started = spawnWarden()
  child = started
  for (const [id, resource] of held) {
    if (await written(started, { id, resource })) continue
    throw new AfreshError(
      'server',
      'The process that removes servers when this one is killed did not start.',
      {
        next: `See whether ${process.execPath} can be run from here; nothing is started without it.`,
      },
    )
  }
}

const SCRIPT = `(${warden})(${removeContainers}, ${processesWithDataIn}, ${JSON.stringify(LABEL)})`

function spawnWarden(): ChildProcess {
  // `detached`: a session of its own, so that Ctrl-C in the terminal does not reach it.
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
  // It must not keep this process alive.
  started.unref()
  if (started.stdin !== null && 'unref' in started.stdin) (started.stdin as { unref(): void }).unref()
  return started
}

/** Whether the line is in the pipe: the warden reads it from there even if this process ends right after. */
function written(to: ChildProcess, order: Order): Promise<boolean> {
  return new Promise((resolve) => {
    if (to.stdin?.writable !== true) return resolve(false)
    to.stdin.write(`${JSON.stringify(order)}\n`, (error) => resolve(!error))
  })
}
