// A process of its own that creates a harness on embedded PostgreSQL: node kept-baseline-child.mjs SOURCES FOLDER
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createJiti } from 'jiti'

const [sources, cwd] = process.argv.slice(2)
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

const { createHarness, embedded } = await createJiti(import.meta.url).import(join(sources, 'index.ts'))
const progress = ({ phase }) => say({ phase })
const fixtures = existsSync(join(cwd, 'fixtures')) ? { fixtures: 'fixtures' } : {}
try {
  const harness = await createHarness({
    server: embedded(),
    migrate: 'migrations',
    ...fixtures,
    cwd,
    project: 'kept',
    progress,
  })
  const database = await harness.lease()
  say({ differences: (await database.verify()).length })
  await harness.close()
} catch ({ code, message }) {
  say({ code, message })
}
