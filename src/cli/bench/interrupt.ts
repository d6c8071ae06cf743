import { resultsFile } from '../../bench/bench.ts'
import { EXIT } from '../failure.ts'

export interface InterruptibleRun {
  readonly url?: string | undefined
  readonly engine?: readonly string[] | undefined
  readonly fresh?: boolean | undefined
  readonly out: string
}

/**
 * A server that bench started ends with this process. On any other server, bench must drop its databases
 * after the running statement. A second Ctrl-C exits at once, and leaves that to the next run on the server.
 */
export function onInterrupt(flags: InterruptibleRun): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController()
  const stays = flags.url !== undefined || flags.engine?.some((server) => server.includes('://'))
  const stop = () => {
    if (stays && !controller.signal.aborted) {
      process.stderr.write(
        '\nStops when the statement is over that runs, and drops what it made on the server. Ctrl-C again stops at once.\n',
      )
      controller.abort()
      return
    }
    sayStopped(flags)
    if (stays) {
      process.stderr.write(
        'Databases afresh_bench_… may be left on the server. The next run of afresh there drops them, except one that was being copied.\n',
      )
    }
    process.exit(EXIT.interrupted)
  }
  process.on('SIGINT', stop)
  return { signal: controller.signal, forget: () => process.off('SIGINT', stop) }
}

export function sayStopped({ out, fresh }: InterruptibleRun): void {
  const again = fresh ? 'the same command without --fresh' : 'the same command'
  process.stderr.write(
    `\nStopped. What was measured is in ${resultsFile(out)}; ${again} continues from there.\n`,
  )
}
