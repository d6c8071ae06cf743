import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { builtCli, type RunningCli, startCli } from '../support/cli.ts'
import { gone } from '../support/eventually.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let folder: string
beforeAll(async () => {
  await builtCli()
  folder = mkdtempSync(join(temporaryFolder(), 'afresh-run-'))
  writeFileSync(join(folder, 'schema.sql'), 'CREATE TABLE note (id int); INSERT INTO note VALUES (1), (2);')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

type Running = Omit<RunningCli, 'ended'> & { readonly ended: Promise<Ended> }

function start(args: readonly string[], env: Record<string, string | undefined> = {}): Running {
  const running = startCli(['run', ...args], { cwd: folder, env })
  return { ...running, ended: running.ended.then((end) => ({ ...end, ...running.output })) }
}

function configure(options: object): void {
  writeFileSync(join(folder, 'afresh.config.mjs'), `export default ${JSON.stringify(options)}\n`)
}

const namesIn = ({ engine }: ServerAtHand) =>
  engine === 'postgres'
    ? `SELECT datname AS name FROM pg_database WHERE datname LIKE 'afresh\\_command\\_%'`
    : `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'afresh\\_command\\_%'`

/** Without the templates, which are kept. */
async function databasesOf(server: ServerAtHand): Promise<unknown[]> {
  const found = (await ask(server, namesIn(server))) as readonly { name?: string; NAME?: string }[]
  return found.map((row) => row.name ?? row.NAME ?? '').filter((name) => !/^afresh_command_t_/.test(name))
}

/** A program of Node as the command. */
const node = (program: string, ...args: string[]) => ['--', process.execPath, '-e', program, ...args]

/** Says its process and what it gets of signals, and ends at SIGTERM with 7. */
const PATIENT = `
  for (const name of ['SIGINT', 'SIGHUP']) process.on(name, () => console.log('got ' + name))
  process.on('SIGTERM', () => process.exit(7))
  setInterval(() => {}, 1000)
  console.log('child ' + process.pid)`

for (const id of ['embedded:18', 'mysql:9.7'] as const) {
  describeOn(id, (server) => {
    beforeEach(() =>
      configure({
        server: server.url,
        project: 'command',
        migrate: 'schema.sql',
        env: { SHOP_DB: 'database' },
      }),
    )

    it('runs the command with its variables, and drops the databases', async () => {
      const program = 'console.log(JSON.stringify(process.env))'
      const { code, stdout, stderr } = await start(['--workers', '3', ...node(program)], {
        PGSERVICE: 'elsewhere',
        AFRESH_URL_9: 'of another run',
      }).ended
      expect(code, stderr).toBe(0)
      const env = JSON.parse(stdout) as Record<string, string>
      const name = new URL(env.DATABASE_URL ?? '').pathname.slice(1)
      expect(name).toMatch(/^afresh_command_[a-z0-9]{10}_1$/)
      expect([env.AFRESH_URL_1, env.AFRESH_WORKERS, env.SHOP_DB]).toEqual([env.DATABASE_URL, '3', name])
      expect(env[server.engine === 'postgres' ? 'PGDATABASE' : 'MYSQL_DATABASE']).toBe(name)
      expect(env.AFRESH_URL_3).toMatch(/_3$/)
      expect(env.AFRESH_SERVER).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      expect(env.AFRESH_TOKEN).toMatch(/^[\w-]{43}$/)
      expect([env.AFRESH_URL_4, env.AFRESH_URL_9]).toEqual([undefined, undefined])
      if (server.engine === 'postgres') expect(env.PGSERVICE).toBeUndefined()
      expect(stderr).toMatch(/^afresh: .*\d/m)
      expect(await databasesOf(server)).toEqual([])
    })

    it('has each database at the baseline while the command runs', async () => {
      const running = start([
        '--workers',
        '2',
        ...node(`${PATIENT}; console.log(process.env.AFRESH_URL_2 + ' .')`),
      ])
      await expect.poll(() => running.output.stdout, { timeout: 120_000 }).toContain(' .\n')
      const url = /^(\S+:\/\/\S+) \.$/m.exec(running.output.stdout)?.[1] ?? ''
      expect(await ask({ ...server, url }, 'SELECT id FROM note')).toHaveLength(2)
      expect(await databasesOf(server)).toHaveLength(2)
      running.child.kill('SIGTERM')
      const { code, stderr } = await running.ended
      expect(code, stderr).toBe(7)
      expect(await databasesOf(server)).toEqual([])
    })

    it('resets databases for the command, also while it has its URLs', async () => {
      const program = `
        const ask = async (path, body) => {
          const authorization = 'Bearer ' + process.env.AFRESH_TOKEN
          const headers = { authorization, 'content-type': 'application/json' }
          const options = { method: 'POST', headers, body: JSON.stringify(body) }
          return (await fetch(process.env.AFRESH_SERVER + path, options)).json()
        }
        const main = async () => {
          const lease = await ask('/v1/leases', { worker: 2 })
          if (lease.url !== process.env.AFRESH_URL_2) throw new Error('another database: ' + lease.url)
          console.log((await ask('/v1/leases/' + lease.id + '/reset', {})).writes)
        }
        main()`
      const { code, stdout, stderr } = await start(['--workers', '2', ...node(program)]).ended
      expect([code, stdout], stderr).toEqual([0, '[]\n'])
      expect(stderr).toMatch(/^afresh: 1 reset, .*; 1 lease of 1 database/m)
      expect(await databasesOf(server)).toEqual([])
    })

    it.each([0, 1, 42])('passes exit code %i through', async (wanted) => {
      const { code, signal } = await start(node(`process.exit(${wanted})`)).ended
      expect([code, signal]).toEqual([wanted, null])
      expect(await databasesOf(server)).toEqual([])
    })

    it('ends by the signal that ended the command', async () => {
      const { signal, stderr } = await start(node(`process.kill(process.pid, 'SIGTERM')`)).ended
      expect(signal, stderr).toBe('SIGTERM')
      const killed = await start(node(`process.kill(process.pid, 'SIGKILL')`)).ended
      expect([killed.code, killed.signal]).toEqual([137, null])
      expect(await databasesOf(server)).toEqual([])
    })

    it('passes signals on, and leaves it to the command when to end', async () => {
      const running = start(node(PATIENT))
      await expect.poll(() => running.output.stdout, { timeout: 120_000 }).toContain('child ')
      running.child.kill('SIGINT')
      await expect.poll(() => running.output.stdout).toContain('got SIGINT')
      running.child.kill('SIGHUP')
      await expect.poll(() => running.output.stdout).toContain('got SIGHUP')
      expect(await databasesOf(server)).toHaveLength(1)
      running.child.kill('SIGTERM')
      expect((await running.ended).code).toBe(7)
      expect(await databasesOf(server)).toEqual([])
    })

    it('leaves what a killed run left to the next run', async () => {
      const running = start(node(PATIENT))
      await expect.poll(() => running.output.stdout, { timeout: 120_000 }).toContain('child ')
      const command = Number(/child (\d+)/.exec(running.output.stdout)?.[1])
      running.child.kill('SIGKILL')
      await running.child.exitCode
      process.kill(command, 'SIGKILL')
      await running.ended
      await expect
        .poll(
          async () => {
            expect((await start(node('')).ended).code).toBe(0)
            return databasesOf(server)
          },
          { timeout: 120_000 },
        )
        .toEqual([])
    })

    it.each([
      [
        'a command that does not exist',
        ['--', 'no-such-command'],
        127,
        /"no-such-command" cannot be run: it was not found/,
      ],
      ['a path that does not exist', ['--', './no-such-file'], 127, /cannot be run/],
      ['no command', ['--workers', '2'], 2, /missing required argument 'command'/i],
      ['a number that is none', ['--workers', 'x', '--', 'true'], 2, /whole number/],
      ['an option of the command before --', ['true', '--bogus'], 2, /unknown option '--bogus'/i],
      ['--json', ['--json', '--', 'true'], 2, /^$/],
    ])('%s: an error, and nothing is started', async (_, args, wanted, message) => {
      const { code, stderr } = await start(args).ended
      expect(code).toBe(wanted)
      expect(stderr).toMatch(message)
      expect(await databasesOf(server)).toEqual([])
    })

    it('cleans up after a program that the system refuses', async () => {
      const script = join(folder, 'broken')
      writeFileSync(script, '#!/no/such/interpreter\n')
      chmodSync(script, 0o755)
      const { code, stderr } = await start(['--', script]).ended
      expect([code, stderr]).toEqual([127, expect.stringContaining('cannot be run')])
      expect(await databasesOf(server)).toEqual([])
    })

    it('runs nothing if the baseline cannot be made', async () => {
      writeFileSync(join(folder, 'broken.sql'), 'CREATE TABLE oops (id no_such_type);')
      configure({ server: server.url, project: 'command', migrate: 'broken.sql' })
      const { code, stdout, stderr } = await start(node(`console.log('ran')`)).ended
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain('broken.sql')
      expect(await databasesOf(server)).toEqual([])
    })
  })
}

describeOn('embedded:18', (server) => {
  const options = { server: server.url, project: 'command', migrate: 'schema.sql' }

  it('takes a file or a folder as configuration, whose paths start from its folder', async () => {
    rmSync(join(folder, 'afresh.config.mjs'), { force: true })
    mkdirSync(join(folder, 'e2e'), { recursive: true })
    writeFileSync(join(folder, 'e2e', 'schema.sql'), 'CREATE TABLE other (id int);')
    for (const name of ['special.mjs', 'afresh.config.mjs']) {
      writeFileSync(join(folder, 'e2e', name), `export default ${JSON.stringify(options)}\n`)
    }
    for (const config of ['e2e/special.mjs', 'e2e']) {
      const { code, stderr } = await start([
        '--config',
        config,
        '--',
        'sh',
        '-c',
        'psql -Atc "SELECT * FROM other"',
      ]).ended
      expect(code, stderr).toBe(0)
    }
    const { code, stderr } = await start(['--', 'true']).ended
    expect([code, stderr]).toEqual([2, expect.stringContaining('There is no afresh.config.ts')])
  })

  it('replaces strategy `rollback`, and says so', async () => {
    configure({ ...options, strategy: 'rollback' })
    const { code, stderr } = await start(['--', 'true']).ended
    expect([code, stderr]).toEqual([0, expect.stringContaining('strategy `rollback` needs a client')])
  })

  it('gives the command its input, and arguments as they are', async () => {
    configure(options)
    const running = start([
      '--',
      'sh',
      '-c',
      'cat; printf "%s|" "$@"',
      'sh',
      '--',
      '--json',
      'a b',
      '$HOME',
      '--help',
    ])
    running.child.stdin?.end('given\n')
    const { code, stdout } = await running.ended
    expect([code, stdout]).toEqual([0, 'given\n--|--json|a b|$HOME|--help|'])
  })
})

describe('a server of its own', () => {
  it('ends with the command, also if afresh is killed', async () => {
    configure({ server: 'embedded', project: 'command', migrate: 'schema.sql' })
    const temporary = mkdtempSync(join(temporaryFolder(), 'afresh-run-own-'))
    // As root, the server runs as another user.
    chmodSync(temporary, 0o755)
    const env = { TMPDIR: temporary }
    const data = () => readdirSync(temporary).filter((name) => name.startsWith('afresh-'))
    const { code, stdout, stderr } = await start(['--', 'psql', '-Atc', 'SELECT count(*) FROM note'], env)
      .ended
    expect([code, stdout], stderr).toEqual([0, '2\n'])
    expect(data()).toEqual([])

    const running = start(
      ['--', 'sh', '-c', 'psql -Atc "SHOW data_directory"; echo child $$; exec sleep 1000'],
      env,
    )
    await expect.poll(() => running.output.stdout, { timeout: 120_000 }).toContain('child ')
    const [, directory = '', command] = /^(\/.*)\nchild (\d+)/m.exec(running.output.stdout) ?? []
    const postmaster = Number(readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[0])
    running.child.kill('SIGKILL')
    await gone(postmaster)
    await expect.poll(() => existsSync(directory)).toBe(false)
    process.kill(Number(command), 'SIGKILL')
    await running.ended
    rmSync(temporary, { recursive: true, force: true })
  })
})
