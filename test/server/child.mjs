// A process of its own that starts a server from the sources: node child.mjs SOURCES SPEC-AS-JSON THEN
// THEN is what it does with it: `hold` it until it is killed, `exit` without stopping it, or `stop` it.
import { join } from 'node:path'
import { createJiti } from 'jiti'

const [sources, spec, then] = process.argv.slice(2)
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

const { startServer } = await createJiti(import.meta.url, {
  fsCache: process.env.TRANSPILED ?? false,
}).import(join(sources, 'server/server.ts'))
say({ starting: true })
try {
  const server = await startServer(JSON.parse(spec))
  say({ url: server.url, engine: server.engine })
  if (then === 'hold') setInterval(() => {}, 60_000)
  if (then === 'exit') process.exit(0)
  if (then === 'stop') await server.stop()
} catch ({ code, message }) {
  say({ code, message })
}
