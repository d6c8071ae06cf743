import { join } from 'afresh'
import { afterAll, inject } from 'vitest'

const provided = inject('afresh')
if ('problem' in provided) throw new Error(provided.problem)
const database = await join(provided.handle, { slot: Number(process.env.VITEST_POOL_ID) })
process.env.DATABASE_URL = database.url
afterAll(() => database.release())
