// A process of its own that creates a harness on embedded PostgreSQL: node kept-baseline-child.mjs SOURCES FOLDER
import { join } from 'node:path'
import { createJiti } from 'jiti'

const [sources, cwd] = process.argv.slice(2)
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

const { createHarness, embedded } = await createJiti(import.meta.url).import(join(sources, 'index.ts'))
const onProgress = (line) => say({ progress: line })
try {
  const options = { server: embedded(), migrate: 'migrations', cwd, project: 'kept' }
  const harness = await createHarness(options, { onProgress })
  const database = await harness.lease()
  say({ differences: (await database.verify()).length })
  await harness.close()
} catch ({ code, message }) {
  say({ code, message })
}
