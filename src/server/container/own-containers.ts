import { SERVER_ENGINES, SERVERS, type ServerEngine } from '../../engine/registry.ts'
import { messageOf } from '../../errors.ts'
import { time } from '../../util/clock.ts'
import { CLEANUP_LABEL } from '../cleanup-process.ts'
import { resolvePackage } from '../resolve-package.ts'
import { keptPassword } from '../secret.ts'
import { type ContainerRuntime, findRuntime, loadPackages } from './container-engine.ts'

/** On containers that stay for the next run; its value is the engine. */
export const REUSE_LABEL = 'afresh.reuse'

export interface OwnContainer {
  /** The first 12 digits of its id. */
  readonly id: string
  readonly image: string
  /** `running`, `exited` … */
  readonly state: string
  readonly ageMs: number
  /** Whether it stays for the next run. Any other ends with the process that started it. */
  readonly isKept: boolean
}

/** A container that stays, and how to reach the server in it. */
export interface KeptServer {
  readonly image: string
  /** With administrator rights and password. */
  readonly url: string
}

type ContainerInfo = Awaited<ReturnType<ContainerRuntime['container']['dockerode']['listContainers']>>[number]

const ENGINE_TIMEOUT_MS = 3_000

/**
 * The containers that afresh started, on the container engine of this machine.
 *
 * @returns `problem`: why they could not be looked for, if a container engine was expected
 */
export async function ownContainers(): Promise<{
  readonly containers: readonly OwnContainer[]
  readonly kept: readonly KeptServer[]
  readonly problem?: string
}> {
  const installed = SERVER_ENGINES.find((engine) => resolvePackage(SERVERS[engine].image.module))
  if (installed === undefined) return { containers: [], kept: [] }
  try {
    const packages = await loadPackages(SERVERS[installed].image.module)
    const runtime = await findRuntime(packages, ENGINE_TIMEOUT_MS)
    const found = await labelled(runtime)
    return {
      containers: found.map(({ Id, Image, State, Created, Labels }) => ({
        id: Id.slice(0, 12),
        image: Image,
        state: State,
        ageMs: Math.max(0, time() - Created * 1000),
        isKept: REUSE_LABEL in Labels,
      })),
      kept: found.flatMap((container) => keptServer(runtime, container) ?? []),
    }
  } catch (error) {
    return { containers: [], kept: [], problem: messageOf(error).split('\n')[0] ?? '' }
  }
}

async function labelled({ container: { dockerode } }: ContainerRuntime): Promise<ContainerInfo[]> {
  const listed = await Promise.all(
    [CLEANUP_LABEL, REUSE_LABEL].map((label) =>
      dockerode.listContainers({ all: true, filters: { label: [label] } }),
    ),
  )
  return listed.flat().sort((a, b) => a.Created - b.Created)
}

function keptServer(
  { info }: ContainerRuntime,
  { Image, State, Labels, Ports }: ContainerInfo,
): KeptServer | undefined {
  const engine = SERVER_ENGINES.find((name): name is ServerEngine => name === Labels[REUSE_LABEL])
  if (engine === undefined || State !== 'running') return undefined
  const { image, schemes } = SERVERS[engine]
  const published = Ports.find(({ PrivatePort, PublicPort }) => PrivatePort === image.port && PublicPort)
  if (published === undefined) return undefined
  const { user, database } = image.admin
  const where = `${info.containerRuntime.host}:${published.PublicPort}`
  return {
    image: Image,
    url: `${schemes[0]}://${user}:${keptPassword('container-password')}@${where}/${database}`,
  }
}
