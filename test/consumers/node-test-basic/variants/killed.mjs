// Ends the process that runs the tests, by the signal in END.
import { test } from 'node:test'
import { count } from '../src/shop.cjs'

test('is cut off', async () => {
  await count('customers')
  process.kill(process.env.NODE_TEST_CONTEXT === undefined ? process.pid : process.ppid, process.env.END)
  await new Promise((resolve) => setTimeout(resolve, 3_000))
})
