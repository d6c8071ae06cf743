// The same with afresh: node first-query-afresh.mjs SCHEMA

import pg from 'pg'
import { createHarness, embedded } from '../../dist/index.js'

const [schema] = process.argv.slice(2)
const harness = await createHarness({
  server: embedded({ data: 'memory' }),
  migrate: schema,
  project: 'bench',
})
const database = await harness.lease()
const client = new pg.Client({ connectionString: database.url })
await client.connect()
await client.query('SELECT count(*) FROM reference')
console.log(performance.now())
await client.end()
await harness.close()
