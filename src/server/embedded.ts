import type { RunningServer, StartOptions } from './running.ts'
import type { EmbeddedSpec } from './spec.ts'
export async function startEmbedded(_spec: EmbeddedSpec, _options: StartOptions): Promise<RunningServer> {
  throw new Error('soon')
}
