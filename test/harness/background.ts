// A worker that leases a database in the background, resets it, and does nothing to end the lease.
import { join } from '../../src/index.ts'

const database = await join(JSON.parse(process.env.AFRESH_TEST_HANDLE ?? ''), { unref: true })
const { dirty } = await database.reset()
process.stdout.write(`${database.name} ${dirty.length}`)
