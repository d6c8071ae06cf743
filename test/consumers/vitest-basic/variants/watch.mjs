// Runs the tests again and again as watch mode does, and writes a line of JSON about each run.
import { readFileSync, writeFileSync } from 'node:fs'
import { startVitest } from 'vitest/node'

const SEED = 'db/seed.sql'
const seed = readFileSync(SEED, 'utf8')
const vitest = await startVitest('test', [], { watch: true, reporters: [{}] })

function say(what) {
  const modules = vitest.state.getTestModules()
  const states = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.result().state),
  )
  const { service } = vitest.getRootProject().getProvidedContext().afresh
  const failures = [...new Set(modules.flatMap((module) => module.errors().map(({ message }) => message)))]
  const passed = states.filter((state) => state === 'passed').length
  process.stdout.write(
    `${JSON.stringify({ what, run: service?.path, passed, failed: states.length - passed, failures })}\n`,
  )
}

say('first')
await vitest.rerunFiles()
say('again')
writeFileSync(SEED, `${seed}\nINSERT INTO nonsense VALUES (1);`)
await vitest.rerunFiles()
say('broken')
writeFileSync(SEED, `${seed}\nINSERT INTO customers (email) VALUES ('more@example.com');`)
await vitest.rerunFiles()
say('changed')
writeFileSync(SEED, seed)
await vitest.rerunFiles()
say('back')
await vitest.close()
// vitest's own says that some of the runs failed, as they had to.
process.exitCode = 0
