// Watch mode: saves the test file again and again, and writes what each run of it said.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const TEST = 'variants/watched.mjs'
const SEED = 'db/seed.sql'
const seed = readFileSync(SEED, 'utf8')
const save = () => writeFileSync(TEST, readFileSync(TEST))

const args = ['--import', 'afresh/node-test', '--test', '--watch', TEST]
const runner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
const lines = createInterface({ input: runner.stdout })[Symbol.asyncIterator]()

async function say(what) {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) throw new Error(`the watcher has ended before "${what}"`)
    const said = /RAN (\{.*\})/.exec(value)?.[1]
    if (said === undefined) continue
    process.stdout.write(`${JSON.stringify({ what, ...JSON.parse(said) })}\n`)
    // Node ignores what changes while it is still busy with the last run.
    return new Promise((resolve) => setTimeout(resolve, 500))
  }
}

await say('first')
save()
await say('again')
writeFileSync(SEED, `${seed}\nINSERT INTO customers (email) VALUES ('more@example.com');`)
save()
await say('changed')
writeFileSync(SEED, seed)
runner.kill('SIGINT')
