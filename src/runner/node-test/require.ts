/** `require('afresh/node-test')`: what `--import` has loaded. It has to wait for a server, and `require` cannot. */
import { AfreshError } from '../../errors.ts'
import { published } from './require-bridge.ts'

function loaded() {
  const names = published()
  if (names !== undefined) return names
  throw new AfreshError('usage', "require('afresh/node-test') cannot wait for a server.", {
    next: 'Run node with --import afresh/node-test, which loads it before; or import it, from an ES module.',
  })
}

export const { database, withDatabase } = loaded()
