/** In the place of afresh/node-test, to prove that the tests need the resets: without them they must fail. */
import { after } from 'node:test'
import { createHarness } from 'afresh'
import config from './afresh.config.js'

const harness = await createHarness(config)
const database = await harness.lease()
process.env.DATABASE_URL = database.url
after(() => harness.close())
