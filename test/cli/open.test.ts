import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ask } from '../support/ask.ts'
import { builtCli, startCli } from '../support/cli.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
let folder: string
beforeAll(async () => {
  afresh = await builtCli()
  folder = mkdtempSync(join(temporaryFolder(), 'afresh-open-'))
  writeFileSync(join(folder, 'schema.sql'), 'CREATE TABLE note (id int); INSERT INTO note VALUES (1), (2);')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function configure(server: ServerAtHand): void {
  const options = { server: server.url, project: 'opened', migrate: 'schema.sql' }
  writeFileSync(join(folder, 'afresh.config.mjs'), `export default ${JSON.stringify(options)}\n`)
}

/** Runs `afresh open` with this standard input. */
function opened(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const running = startCli(['open', ...args], { cwd: folder, env })
  return { ...running, ended: running.ended.then(({ code }) => code) }
}

async function databasesOf(server: ServerAtHand): Promise<unknown[]> {
  const sql =
    server.engine === 'postgres'
      ? `SELECT datname AS name FROM pg_database WHERE datname ~ '^afresh_opened_[a-z0-9]{10}_'`
      : `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name REGEXP '^afresh_opened_[a-z0-9]{10}_'`
  return ask(server, sql)
}

/** A busy machine may take long to start the program and to copy a database. */
async function until<T>(look: () => T | undefined): Promise<T> {
  return vi.waitUntil(look, { timeout: 120_000 }) as Promise<T>
}

function childrenOf({ pid }: ChildProcess): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return children.map((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' '))
}

for (const id of ['embedded:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    beforeEach(() => configure(server))

    it('prints the URL of a database at the baseline, and drops it after Ctrl-C', async () => {
      const { child, output, ended } = opened(['--print-url'])
      const url = await until(() => /^\S+:\/\/\S+$/m.exec(output.stdout)?.[0])
      expect(await ask({ ...server, url }, 'SELECT id FROM note')).toHaveLength(2)
      expect(await databasesOf(server)).toHaveLength(1)
      child.kill('SIGINT')
      expect(await ended, output.stderr).toBe(0)
      expect(await databasesOf(server)).toEqual([])
    })

    it('leaves a database when it is killed, which `clean` drops', async () => {
      const { child, output, ended } = opened(['--print-url'])
      const url = await until(() => /^\S+:\/\/\S+$/m.exec(output.stdout)?.[0])
      const name = new URL(url).pathname.slice(1)
      const status = async () => (await afresh(['status', '--url', server.url], { cwd: folder })).stdout
      expect(await status()).toMatch(new RegExp(`^  ${name} .* leased for .* by process ${child.pid} `, 'm'))
      child.kill('SIGKILL')
      await ended
      // The server notices the end of the connection a moment later.
      await expect
        .poll(status, { timeout: 120_000 })
        .toMatch(new RegExp(`^  ${name} .* its run has ended$`, 'm'))
      const { code, stdout } = await afresh(['clean', '--yes', '--url', server.url], { cwd: folder })
      expect([code, stdout]).toEqual([0, expect.stringContaining(name)])
      expect(await databasesOf(server)).toEqual([])
    })

    it('says what to install where there is no client, and leaves nothing', async () => {
      const { output, ended } = opened([], { PATH: '/nowhere' })
      expect(await ended).toBe(2)
      expect(output.stderr).toMatch(
        /^No client program of \w+ is installed: PATH has no \w+.*\n {2}→ Install one \(.*--print-url prints\.$/m,
      )
      expect(await databasesOf(server)).toEqual([])
    })

    // Any program of that name: it notes what it gets, and waits for its input to end.
    it('gives the client everything but the password as arguments', async () => {
      const bin = join(folder, 'bin')
      mkdirSync(bin, { recursive: true })
      const noted = join(folder, 'noted')
      rmSync(noted, { force: true })
      for (const name of ['psql', 'mysql', 'mariadb']) {
        writeFileSync(
          join(bin, name),
          `#!/bin/sh\nprintf '%s\\n' "$DATABASE_URL" "$PGPASSWORD$MYSQL_PWD" "$*" > ${noted}.part\nmv ${noted}.part ${noted}\nread -r line\nexit 3\n`,
        )
        chmodSync(join(bin, name), 0o755)
      }
      const { child, output, ended } = opened([], { PATH: `${bin}:${process.env.PATH}` })
      await until(() => existsSync(noted) || undefined)
      const [url = '', password, args = ''] = readFileSync(noted, 'utf8').split('\n')
      expect(await ask({ ...server, url }, 'SELECT id FROM note')).toHaveLength(2)
      expect(password).toBe(decodeURIComponent(new URL(server.url).password))
      const { hostname, port, username } = new URL(server.url)
      if (server.engine !== 'postgres') {
        // These clients take `localhost` for a socket.
        const host = hostname === 'localhost' ? '127.0.0.1' : hostname
        expect(args).toBe(
          `--no-defaults --protocol=tcp --host=${host} --port=${port} --user=${username} ${new URL(url).pathname.slice(1)}`,
        )
      }
      for (const command of childrenOf(child)) expect(command).not.toContain(password)
      child.kill('SIGINT')
      child.stdin.end('\n')
      expect(await ended, output.stderr).toBe(1)
      expect(output.stderr).toContain('yours until you leave the client')
      expect(await databasesOf(server)).toEqual([])
    })
  })
}

describeOn('embedded:18', (server) => {
  it('runs psql on a database at the baseline', async () => {
    configure(server)
    const { child, output, ended } = opened([], { PGSERVICE: 'another' })
    child.stdin.end(`SELECT count(*), current_database() FROM note;\n`)
    expect(await ended, output.stderr).toBe(0)
    expect(output.stdout).toMatch(/^ +2 \| afresh_opened_/m)
    expect(await databasesOf(server)).toEqual([])
  })

  it('runs psql on a database that is there, and drops nothing', async () => {
    const { child, output, ended } = opened(['--url', server.url])
    child.stdin.end('SELECT current_database();\n')
    expect(await ended, output.stderr).toBe(0)
    expect(output.stdout).toContain('postgres')
  })

  it('takes no --url for a lease', async () => {
    const { code, stderr } = await afresh(['open', '--url', server.url, '--print-url'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--url takes none')])
  })
})

describe('sqlite', () => {
  it('runs sqlite3 on the file', async () => {
    const file = join(folder, 'shop.db')
    writeFileSync(file, '')
    const { child, output, ended } = opened(['--url', `sqlite:${file}`])
    child.stdin.end('CREATE TABLE note (id int); INSERT INTO note VALUES (42); SELECT id FROM note;\n')
    expect(await ended, output.stderr).toBe(0)
    expect(output.stdout).toBe('42\n')
  })
})
