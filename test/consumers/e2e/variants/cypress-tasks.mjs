// Calls `setupNodeEvents` and its tasks as Cypress does, whose program is none of npm's: one JSON argument for each task,
// and no result but what JSON has. https://docs.cypress.io/api/commands/task
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { setupDatabase } from 'afresh/cypress'

assert.equal(typeof createRequire(import.meta.url)('afresh/cypress').setupDatabase, 'function')

const registered = {}
const on = (event, tasks) => {
  assert.equal(event, 'task')
  Object.assign(registered, tasks)
}
const task = async (name, argument) => {
  const result = await registered[name](
    argument === undefined ? undefined : JSON.parse(JSON.stringify(argument)),
  )
  assert.notEqual(result, undefined)
  return result
}

const given = { projectRoot: process.cwd(), baseUrl: null, env: {} }
const config = await setupDatabase(on, given, {
  appServer: { command: 'node app/server.mjs', path: '/health' },
})
assert.match(config.baseUrl, /^http:\/\/localhost:\d+$/)

const post = async (action, form) => {
  const body = new URLSearchParams(form)
  const { url } = await fetch(`${config.baseUrl}/${action}`, { method: 'POST', body })
  return new URL(url).searchParams.get('said')
}
const application = async () => (await fetch(`${config.baseUrl}/health`)).text()

await assert.rejects(task('afresh:check', { title: 'none' }), /afresh:check without afresh:reset/)
const pid = await application()
for (const title of ['first', 'second']) {
  await task('afresh:reset')
  assert.equal(await post('add', { name: 'Linus' }), 'Linus is guest number 3')
  await task('afresh:check', { title })
}

await task('afresh:reset')
await post('add', { name: 'Linus' })
await task('afresh:snapshot', 'three guests')
await post('add', { name: 'Barbara' })
await task('afresh:restore', 'three guests')
assert.equal(await post('add', { name: 'Barbara' }), 'Barbara is guest number 4')

await task('afresh:reset')
assert.equal(await post('forget', { name: 'Linus' }), 'Forgotten')
await assert.rejects(
  task('afresh:check', { title: 'forgets' }),
  /"forgets" ended and still held:\s+open transaction: process \d+ \(the application\)/,
)
await task('afresh:reset')
assert.equal(await post('add', { name: 'Linus' }), 'Linus is guest number 3')
await task('afresh:check', { title: 'last' })
assert.equal(await application(), pid)
process.stdout.write(`${JSON.stringify({ application: Number(pid) })}\n`)
// As Cypress does with the process of its plugins.
process.exit(0)
