import { join } from 'afresh'
import { runHandle } from 'afresh/vitest'
import { afterAll } from 'vitest'

const database = await join(await runHandle(), { slot: Number(process.env.VITEST_POOL_ID) })
process.env.DATABASE_URL = database.url
afterAll(() => database.release())
