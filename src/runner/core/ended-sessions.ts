/**
 * Ends sessions of the code under test between two tests. In: the sockets that lead to them, and what ends
 * them. Out: clients that know that they are dead.
 */
import type { Socket } from 'node:net'
import { settledWithin } from '../../util/with-timeout.ts'

/** Milliseconds to wait for the server to close sessions that it was asked to end. */
const CLOSE_MS = 1_000

/**
 * Ends sessions, and returns when their clients have read that. A pool drops an idle client then, instead of
 * giving it to the next test.
 *
 * A client without an error listener throws while it reads, which would fail whichever test runs at that time.
 * The test that left the session open has already failed for it, so the error is dropped.
 *
 * @param sockets those of the sessions, as far as this process has them
 */
export async function endSessions(sockets: readonly Socket[], end: () => Promise<void>): Promise<void> {
  const guards = sockets.filter((socket) => !socket.closed).map(guard)
  try {
    await end()
  } catch (error) {
    for (const { remove } of guards) remove()
    throw error
  }
  await settledWithin(Promise.all(guards.map(({ closed }) => closed)), CLOSE_MS)
}

interface Guard {
  readonly closed: Promise<unknown>
  remove(): void
}

/** From now on, errors of listeners do not reach the code that emits. Drivers read, and throw, within `emit`. */
function guard(socket: Socket): Guard {
  const { emit } = socket
  let hasClosed = () => {}
  const closed = new Promise<void>((resolve) => {
    hasClosed = resolve
  })
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    try {
      return Reflect.apply(emit, socket, [event, ...args])
    } catch {
      return true
    } finally {
      if (event === 'close') hasClosed()
    }
  }
  return {
    closed,
    remove: () => {
      socket.emit = emit
    },
  }
}
