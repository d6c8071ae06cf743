import { SERVERS } from '../engine/registry.ts'
import { type RunningServer, runningServer, type StartOptions } from './running-server.ts'
import type { ExistingSpec } from './spec.ts'

/** A server that runs already: nothing to start, nothing to stop. The engine finds out whether it answers. */
export async function useExisting(spec: ExistingSpec, { progress }: StartOptions): Promise<RunningServer> {
  progress?.({ phase: 'connect', label: hostOf(spec.url) })
  return runningServer(
    {
      kind: 'existing',
      engine: spec.engine,
      url: spec.url,
      title: `${SERVERS[spec.engine].title} at ${hostOf(spec.url)}`,
      startedByAfresh: false,
      containerId: undefined,
      data: undefined,
      endsWithRun: false,
    },
    async () => {},
  )
}

/** Host and port, or the socket's folder, of a URL; never its password. */
export function hostOf(url: string): string {
  const { host, searchParams } = new URL(url)
  const socket = ['host', 'socket', 'socketPath'].map((name) => searchParams.get(name)).find(Boolean)
  return decodeURIComponent(host) || (socket ?? 'the local socket')
}
