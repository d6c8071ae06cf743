import { test } from 'node:test'
import { database } from 'afresh/node-test'
import { count } from '../src/shop.cjs'

test('says where it is', async () => {
  const run = database.name.replace(/_\d+$/, '')
  process.stdout.write(`RAN ${JSON.stringify({ run, customers: await count('customers') })}\n`)
})
