/**
 * `node --import afresh/node-test --test`: each test file has a database of its own, in `DATABASE_URL` before its code
 * is loaded, and reset before each test. A file that is run by itself starts a server for itself.
 */
import { after, afterEach, beforeEach } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findConfig, share } from '../shared.ts'
import { enter, leave } from '../worker.ts'
import { afterEachTest, beforeEachTest } from './hooks.ts'
import { keptHarness } from './keep.ts'
import { beginWith, hasBegun } from './state.ts'

export * from './access.ts'

/** Beside this very file, bundled or not. */
const KEEPER = fileURLToPath(new URL('keeper.js', import.meta.url))

if (!hasBegun()) await begin()

async function begin(): Promise<void> {
  const folder = process.cwd()
  const isOneOfMany = process.env.NODE_TEST_CONTEXT !== undefined
  const held = isOneOfMany ? undefined : await share(await findConfig([folder]), announce)
  const handle = held?.harness.handle ?? (await keptHarness(folder, KEEPER))
  beginWith(handle)
  const worker = { handle, slot: Number(process.env.NODE_TEST_WORKER_ID) || 1, keep: false }
  await enter(worker)
  beforeEach((test) => beforeEachTest(test))
  afterEach((test) => afterEachTest(test))
  after(async () => {
    await leave(worker)
    await held?.release()
  })
}

function announce({ title }: { readonly title: string }): void {
  process.stderr.write(`afresh: ${title}\n`)
}
