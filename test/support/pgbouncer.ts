import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { ask } from './ask.ts'
import { eventually } from './eventually.ts'
import { leftOut, remedy } from './left-out.ts'
import type { ServerAtHand } from './servers.ts'

/**
 * Declares tests that need Debian's pgbouncer, which CI installs. They are skipped by name where it is left
 * out.
 */
export function describePgbouncer(title: string, body: () => void): void {
  const reason = leftOut('pgbouncer')
  if (reason === undefined && !hasPgbouncer()) {
    throw new Error(`pgbouncer is missing\n  → ${remedy('pgbouncer')}`)
  }
  const name = reason === undefined ? title : `NOT RUN: ${title} (pgbouncer ${reason})`
  describe.skipIf(reason !== undefined)(name, body)
}

function hasPgbouncer(): boolean {
  try {
    execFileSync('pgbouncer', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs `body` with a pgbouncer in front of the server, which connects to all its databases. */
export async function withPgbouncer(
  server: ServerAtHand,
  mode: 'session' | 'transaction',
  body: (pooled: ServerAtHand) => Promise<void>,
): Promise<void> {
  await using bouncer = await startPgbouncer(server, mode)
  await body(bouncer.pooled)
}

export interface Pgbouncer extends AsyncDisposable {
  readonly pooled: ServerAtHand
}

export async function startPgbouncer(
  server: ServerAtHand,
  mode: 'session' | 'transaction',
): Promise<Pgbouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-pgbouncer-'))
  const { hostname, port, username, password } = new URL(server.url)
  const listening = await freePort()
  writeFileSync(join(folder, 'users.txt'), `"${username}" "${password}"\n`)
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname === 'localhost' ? '127.0.0.1' : hostname} port=${port} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listening}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users.txt')}
pool_mode = ${mode}
max_client_conn = 200
default_pool_size = 20
`,
  )
  chmodSync(folder, 0o755)
  // pgbouncer refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const bouncer = spawn('pgbouncer', ['-q', ...asUser, join(folder, 'pgbouncer.ini')], { stdio: 'ignore' })
  const pooled = { ...server, url: server.url.replace(/@[^/]*/, `@127.0.0.1:${listening}`) }
  const stop = async () => {
    bouncer.kill('SIGINT')
    rmSync(folder, { recursive: true })
  }
  try {
    await eventually(() => ask(pooled, 'SELECT 1'))
  } catch (error) {
    await stop()
    throw error
  }
  return { pooled, [Symbol.asyncDispose]: stop }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
