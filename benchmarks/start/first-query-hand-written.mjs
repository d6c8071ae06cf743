// What a project writes itself: a cluster that initdb made once, copied, started, migrated; then a query.
// node first-query-by-hand.mjs CLUSTER BINARIES SCHEMA UID
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const [cluster, binaries, schema, uid] = process.argv.slice(2)
const folder = mkdtempSync('/dev/shm/by-hand-')
const data = join(folder, 'data')
const owner = uid === '' ? {} : { uid: Number(uid), gid: Number(uid) }
if (uid === '') cpSync(cluster, data, { recursive: true })
else {
  chownSync(folder, owner.uid, owner.gid)
  execFileSync('cp', ['-a', cluster, data])
}
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'unix_socket_directories=']
const options = settings.flatMap((setting) => ['-c', setting])
const server = spawn(join(binaries, 'postgres'), ['-D', data, '-p', `${port}`, ...options], {
  ...owner,
  cwd: folder,
  env: {},
  stdio: 'ignore',
})
const pid = join(data, 'postmaster.pid')
while (!existsSync(pid) || readFileSync(pid, 'utf8').split('\n')[7]?.trim() !== 'ready') await sleep(5)
const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
await client.connect()
await client.query(readFileSync(schema, 'utf8'))
await client.query('SELECT count(*) FROM reference')
console.log(performance.now())
await client.end()
const ended = new Promise((resolve) => server.once('exit', resolve))
server.kill('SIGQUIT')
await ended
rmSync(folder, { recursive: true, force: true })
