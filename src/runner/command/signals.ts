/** In: signals to this process. Out: the same signals to its child, so that the child decides how to end. */
import type { ChildProcess } from 'node:child_process'

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export type PassedSignal = (typeof PASSED_ON)[number]

export interface SignalRelay {
  /** A signal that came while there was no child. */
  readonly pending: PassedSignal | undefined
  /** From now on, signals go to this child. */
  attach(child: ChildProcess): void
  /** From now on, a signal ends this process again. */
  end(): void
}

/**
 * From now on, signals do not end this process, which has to clean up after its child.
 *
 * @param isTerminal whether Ctrl-C in the terminal reaches the child too. Two of them would end many a program in the
 *   middle of its own cleanup
 */
export function relaySignals(isTerminal: boolean): SignalRelay {
  let child: ChildProcess | undefined
  let pending: PassedSignal | undefined
  const pass = (signal: PassedSignal) => {
    if (child === undefined) pending ??= signal
    else if (signal !== 'SIGINT' || !isTerminal) child.kill(signal)
  }
  const handlers = PASSED_ON.map((signal) => [signal, () => pass(signal)] as const)
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return {
    get pending() {
      return pending
    },
    attach(started) {
      child = started
    },
    end() {
      for (const [signal, handler] of handlers) process.off(signal, handler)
    },
  }
}

export function isPassedOn(signal: NodeJS.Signals): signal is PassedSignal {
  return PASSED_ON.some((passed) => passed === signal)
}
