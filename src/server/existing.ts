import { type RunningServer, runningServer, titleOf } from './running.ts'
import type { ExistingSpec } from './spec.ts'

/** A server that somebody runs: nothing to start, nothing to stop. Whether it answers, the engine finds out. */
export async function useExisting(spec: ExistingSpec): Promise<RunningServer> {
  return runningServer(
    {
      kind: 'existing',
      engine: spec.engine,
      url: spec.url,
      title: `${titleOf(spec.engine)} at ${addressOf(spec.url)}`,
      ours: false,
      containerId: undefined,
      endsWithRun: false,
    },
    async () => {},
  )
}

/** Host and port, or the socket's folder, of a URL; never its password. */
function addressOf(url: string): string {
  const { host, searchParams } = new URL(url)
  return host === '' ? (searchParams.get('host') ?? 'the local socket') : host
}
