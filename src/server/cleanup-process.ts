/** A resource on this machine that must not outlive the process that created it. */
export type Resource =
  /** A container, by the value of its label `afresh.run`. `client`: the module file of testcontainers. */
  | { readonly kind: 'container'; readonly label: string; readonly client: string }
  /** A folder, and the PostgreSQL processes that have their data in it. The path must not be shared. */
  | { readonly kind: 'folder'; readonly path: string }

/** A resource that stays after its process. */
export interface Linger {
  /** The resource is removed when this file is gone. */
  readonly recordPath: string
  /** The latest time of the removal, in milliseconds since 1970. */
  readonly untilMs: number
}

/** One line on the cleanup process's standard input: registers `resource`, or without one unregisters. */
export interface CleanupCommand {
  readonly id: string
  readonly resource?: Resource
  readonly linger?: Linger
}

/** The part of testcontainers' client that the removal needs. */
export interface ContainerClient {
  readonly container: {
    readonly dockerode: {
      listContainers(options: object): Promise<{ Id: string }[]>
      getContainer(id: string): { remove(options: object): Promise<unknown> }
    }
  }
}

export const CLEANUP_LABEL = 'afresh.run'

/** Removes the containers with this label, running or not, and their volumes. Returns their number. */
export async function removeContainers(client: ContainerClient, label: string): Promise<number> {
  const { dockerode } = client.container
  const found = await dockerode.listContainers({ all: true, filters: { label: [label] } })
  for (const { Id } of found) {
    await dockerode
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch((error: { statusCode?: number }) => {
        // 404: already removed; 409: another process is removing it
        if (error.statusCode !== 404 && error.statusCode !== 409) throw error
      })
  }
  return found.length
}

/** Ids of the PostgreSQL processes (`postgres -D …`, `initdb -D …`) that have their data under this path. */
export function processesWithDataIn(path: string): number[] {
  // self-contained, see cleanupProcess()
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  const { readdirSync, readFileSync } = process.getBuiltinModule('node:fs')
  const commandLine = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    } catch {
      return '' // it has ended meanwhile
    }
  }
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && commandLine(pid).includes(`-D\0${path}`))
  }
  if (process.platform === 'win32') return []
  return execFileSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`-D ${path}`))
    .map((line) => Number.parseInt(line, 10))
}

/** Ends the servers that have their data under this path, and removes it. */
export async function removeFolder(path: string, processesIn: typeof processesWithDataIn): Promise<void> {
  // self-contained, see cleanupProcess()
  const { rmSync } = process.getBuiltinModule('node:fs')
  const { setTimeout: sleep } = process.getBuiltinModule('node:timers/promises')
  const signal = (pid: number, name: NodeJS.Signals) => {
    try {
      process.kill(pid, name)
    } catch {
      // it has ended meanwhile
    }
  }
  // SIGQUIT is PostgreSQL's immediate shutdown, which still releases its shared memory; SIGKILL does not.
  for (let tries = 0; tries < 60; tries++) {
    const pids = processesIn(path)
    if (pids.length === 0) break
    for (const pid of pids) signal(pid, tries < 50 ? 'SIGQUIT' : 'SIGKILL')
    await sleep(100)
  }
  rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

/**
 * The body of a small separate process that outlives this one: it reads commands until its standard input
 * closes, which happens however this process ends. Then it removes what is still registered, some of it later, and
 * ends.
 *
 * It is passed to `node -e` as text (see cleanup.ts), so that it runs from the sources, from the build and
 * from within a user's bundle. Therefore it has no imports, and uses no names from outside the function.
 */
export async function cleanupProcess(
  remove: typeof removeContainers,
  removeData: typeof removeFolder,
  processesIn: typeof processesWithDataIn,
  label: string,
): Promise<void> {
  const { existsSync, rmSync } = process.getBuiltinModule('node:fs')
  const { createRequire } = process.getBuiltinModule('node:module')
  const { createInterface } = process.getBuiltinModule('node:readline')
  const { setTimeout: sleep } = process.getBuiltinModule('node:timers/promises')

  process.title = 'afresh cleanup' // otherwise `ps` shows all of this text

  const removeContainer = async (client: ContainerClient, resource: Resource & { kind: 'container' }) => {
    // The container engine may still be processing a request to create it, or be restarting: look again for a while.
    for (let tries = 0; tries < 20; tries++) {
      const removed = await remove(client, `${label}=${resource.label}`).catch(() => 0)
      if (removed > 0) return
      await sleep(500)
    }
  }

  const clientFor = (file: string): Promise<ContainerClient> =>
    createRequire(file)(file).getContainerRuntimeClient()

  const whileItStays = async ({ recordPath, untilMs }: Linger) => {
    while (Date.now() < untilMs && existsSync(recordPath)) await sleep(250)
    rmSync(recordPath, { force: true })
  }

  /** Loads what it needs before it waits: the packages of the project may be replaced meanwhile. */
  const removeLater = async (resource: Resource, linger?: Linger) => {
    const client = resource.kind === 'container' ? await clientFor(resource.client) : undefined
    if (linger !== undefined) await whileItStays(linger)
    if (resource.kind === 'folder') await removeData(resource.path, processesIn)
    else if (client !== undefined) await removeContainer(client, resource)
  }

  const registered = new Map<string, Resource>()
  const lingering: Promise<void>[] = []
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as CleanupCommand
    if (command.resource === undefined) registered.delete(command.id)
    else if (command.linger === undefined) registered.set(command.id, command.resource)
    else {
      registered.delete(command.id)
      lingering.push(removeLater(command.resource, command.linger).catch(() => {}))
    }
  }
  await Promise.allSettled([
    ...lingering,
    ...[...registered.values()].map((resource) => removeLater(resource)),
  ])
}
