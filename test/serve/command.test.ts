import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { builtCli, type RunningCli, startCli } from '../support/cli.ts'
import { describeOn } from '../support/servers.ts'
import { call, openApi, type Target } from './described.ts'
import { databasesOf, Project } from './project.ts'

let project: Project
beforeAll(async () => {
  await builtCli()
  project = new Project()
})
afterAll(() => project.remove())

const started: ChildProcess[] = []
// A test that failed must not make the next ones fail.
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

function start(args: readonly string[], env: Record<string, string> = {}) {
  const running = startCli(['serve', ...args], { cwd: project.folder, env })
  started.push(running.child)
  return { ...running, ended: running.ended.then(({ code }) => code) }
}

/** What a shell would read from its output. */
async function variablesOf({ output }: Pick<RunningCli, 'output'>): Promise<Target> {
  await expect.poll(() => output.stderr, { timeout: 120_000 }).toContain('until Ctrl-C')
  const lines = output.stdout.trim().split('\n')
  const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/, 2)))
  return { server: env.AFRESH_SERVER ?? '', token: env.AFRESH_TOKEN ?? '' }
}

for (const id of ['embedded:18', 'mysql:9.7'] as const) {
  describeOn(id, (server) => {
    beforeEach(() => project.configure(server))

    it('serves until it is interrupted, and leaves nothing', async () => {
      const running = start(['--workers', '2'])
      const target = await variablesOf(running)
      expect(await databasesOf(server)).toHaveLength(2)
      expect((await call(target, 'GET', '/v1/openapi.json')).body).toEqual(openApi)
      const { body: lease } = await call(target, 'POST', '/v1/leases')
      await ask({ ...server, url: lease.url }, 'DELETE FROM note')
      expect((await call(target, 'POST', `/v1/leases/${lease.id}/reset`)).body.writes).toHaveLength(1)
      running.child.kill('SIGINT')
      expect(await running.ended, running.output.stderr).toBe(0)
      expect(running.output.stderr).toContain('1 reset, ')
      expect(await databasesOf(server)).toEqual([])
    })

    it('leaves to the next run what it leaves when it is killed', async () => {
      const running = start([])
      const target = await variablesOf(running)
      await call(target, 'POST', '/v1/leases', { worker: 3 })
      running.child.kill('SIGKILL')
      await running.ended
      await expect
        .poll(
          async () => {
            const next = start([])
            await variablesOf(next)
            next.child.kill('SIGTERM')
            expect(await next.ended).toBe(0)
            return databasesOf(server)
          },
          { timeout: 120_000 },
        )
        .toEqual([])
    })
  })
}

describeOn('embedded:18', (server) => {
  beforeEach(() => project.configure(server))

  it('takes a token from its environment, and does not print it', async () => {
    const token = 'a-secret-of-the-project'
    const running = start(['--json', '--listen', '[::1]:0'], { AFRESH_TOKEN: token })
    await expect.poll(() => running.output.stdout, { timeout: 120_000 }).toContain('}\n')
    const document = JSON.parse(running.output.stdout)
    expect(document).toEqual({
      server: expect.stringMatching(/^http:\/\/\[::1\]:\d+$/),
      database: expect.any(String),
    })
    const port = new URL(document.server).port
    expect((await call({ server: `http://[::1]:${port}`, token }, 'GET', '/v1/status')).status).toBe(200)
    running.child.kill('SIGTERM')
    expect(await running.ended).toBe(0)
    expect(running.output.stdout + running.output.stderr).not.toContain(token)
  })

  it('removes its Unix socket', async () => {
    const path = join(project.folder, 'socket')
    const running = start(['--listen', path])
    const target = await variablesOf(running)
    expect(target.server).toBe(`unix:${path}`)
    expect((await call(target, 'GET', '/v1/status')).status).toBe(200)
    running.child.kill('SIGHUP')
    expect(await running.ended).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  it('says when others can connect', async () => {
    const running = start(['--listen', '0.0.0.0:0'])
    await variablesOf(running)
    expect(running.output.stderr).toContain('others can connect')
    running.child.kill('SIGTERM')
    expect(await running.ended).toBe(0)
  })

  it.each([
    ['an address that is none', ['--listen', 'here'], {}, 2, /no address to listen on/],
    ['a token that is short', [], { AFRESH_TOKEN: 'short' }, 2, /easy to guess/],
    ['an address of another machine', ['--listen', '192.0.2.1:80'], {}, 1, /cannot listen/],
  ])('%s: an error, and nothing is left', async (_, args, env, wanted, message) => {
    const running = start(args, env)
    expect(await running.ended).toBe(wanted)
    expect(running.output.stderr).toMatch(message)
    expect(await databasesOf(server)).toEqual([])
  })
})
