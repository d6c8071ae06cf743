const { runInThisContext } = require('node:vm')

// As afresh/jest/reset does, but for the resets. The library loads drivers by import(), outside of jest's realm.
const { createRequire } = runInThisContext('process').getBuiltinModule('node:module')
const { join } = createRequire(__filename)('afresh')

let database
module.exports = async () => {
  const [handle] = Object.values(JSON.parse(process.env.AFRESH_JEST_0).handles)
  database = await join(handle, { slot: Number(process.env.JEST_WORKER_ID) })
  process.env.DATABASE_URL = database.url
}
afterAll(() => database.release())
