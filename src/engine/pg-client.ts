import { AfreshError } from '../errors.ts'

/** Missing from the driver's type declarations. */
interface State {
  readonly _connected?: boolean
  readonly _connecting?: boolean
  readonly _ending?: boolean
  readonly _ended?: boolean
}

/**
 * A `pg` Client queues queries until `connect`, forever if `connect` is never called.
 *
 * @param who `begin` or `attach`
 * @throws AfreshError `usage` for a client that is not connected, or no longer
 */
export function requireConnected(client: object, who: string): void {
  const { _connected, _connecting, _ending, _ended } = client as State
  if (_ending === true || _ended === true) {
    throw new AfreshError('usage', `${who}: the client was closed.`, {
      next: 'Give it one that is connected; a client cannot be connected twice.',
    })
  }
  if (_connected === false && _connecting === false) {
    throw new AfreshError('usage', `${who}: the client is not connected.`, {
      next: `await client.connect() first, then ${who}.`,
    })
  }
}
