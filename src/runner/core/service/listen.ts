import type { Server } from 'node:net'

/**
 * Resolves when the server listens. A connection that cannot be accepted later ends neither the server nor the
 * process.
 *
 * @param start calls `listen` of the server
 * @throws the error of the system if the address cannot be listened on
 */
export async function listening(server: Server, start: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
    start()
  })
  server.removeAllListeners('error')
  server.on('error', () => {})
}
