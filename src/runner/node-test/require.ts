/** `require('afresh/node-test')`: what `--import` loaded, because `require` cannot wait for a server. */
import { AfreshError } from '../../errors.ts'
import { published } from './require-bridge.ts'

function loaded() {
  const names = published()
  if (names !== undefined) return names
  throw new AfreshError('usage', "require('afresh/node-test') cannot wait for a server.", {
    next: 'Run node with --import afresh/node-test, which loads it before; or import it, from an ES module.',
  })
}

export const { database, startFrom, withDatabase } = loaded()
