// What a test starts is loaded with the same --import: it must see the database of the test, and leave it alone.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { addCustomer } from '../src/shop.cjs'

const COUNT = new URL('../src/count.cjs', import.meta.url)

for (const [name, start] of [
  ['process', (file) => fork(file)],
  ['thread', (file) => new Worker(file)],
]) {
  test(`a ${name} works with the database of the test`, async () => {
    await addCustomer('new@example.com')
    const [count] = await once(start(COUNT), 'message')
    assert.equal(count, 4)
  })
}
