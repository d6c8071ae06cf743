import { beforeAll, describe, expect, it } from 'vitest'
import { builtCli } from '../support/cli.ts'

let afresh: Awaited<ReturnType<typeof builtCli>>
beforeAll(async () => {
  afresh = await builtCli()
})

const COMMANDS = [
  'init',
  'demo',
  'run',
  'serve',
  'plan',
  'reset',
  'erase',
  'purge',
  'adopt',
  'status',
  'verify',
  'open',
  'clean',
  'doctor',
  'bench',
]

describe('help and usage', () => {
  it('prints its help without arguments', async () => {
    const { code, stdout } = await afresh([])
    expect(code).toBe(0)
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(stdout).toContain('3 refused by the guard')
  })

  it('prints its version', async () => {
    expect(await afresh(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  it.each(COMMANDS)('%s --help lists its options and gives an example', async (command) => {
    const { code, stdout } = await afresh([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--json')
    expect(stdout).toContain(`\n  afresh ${command}`)
  })

  it.each([
    ['an unknown command', ['bogus'], /Unknown command 'bogus'/],
    ['an unknown option', ['plan', '--url', 'sqlite:x', '--bogus'], /Unknown option '--bogus'/],
    ['no URL', ['plan'], /'--url <url>' not specified/],
    ['an unknown strategy', ['plan', '--url', 'sqlite:x', '--strategy', 'magic'], /delete, truncate/],
    ['a URL of no engine', ['plan', '--url', 'oracle://x'], /no protocol that afresh supports/],
    ['a number that is none', ['demo', '--rounds', 'many'], /whole number/],
    ['an unknown server', ['demo', '--server', 'oracle:23'], /names no server/],
    ['a schema file that is not there', ['demo', '--schema', '/nowhere.sql'], /cannot be read/],
    ['an unknown engine', ['init', '--engine', 'oracle'], /postgres, mysql, mariadb/],
    ['a server of another engine', ['init', '--engine', 'mysql', '--server', 'embedded'], /of postgres/],
    ['a command that is missing', ['run', '--workers', '2'], /missing required argument 'command'/i],
    ['no database at all', ['run', 'true', '--workers', '0'], /whole number/],
    ['a configuration that is missing', ['serve', '--config', '/nowhere'], /no afresh\.config/],
    ['a word too many', ['doctor', 'now'], /argument/],
  ])('%s is wrong usage', async (_, args, message) => {
    const plain = await afresh(args)
    expect(plain).toMatchObject({ code: 2, stdout: '' })
    expect(plain.stderr).toMatch(message)
    expect(plain.stderr).toContain('\n  → ')
    expect(plain.stderr).not.toMatch(/^ +at /m)

    const json = await afresh([...args, '--json'])
    expect(json.code).toBe(2)
    expect(JSON.parse(json.stdout)).toEqual({
      error: { code: 'usage', message: expect.stringMatching(message), next: expect.any(String) },
    })
  })

  it('shows no password of a URL that it cannot use', async () => {
    const { stderr } = await afresh(['plan', '--url', 'oracle://me:s3cret@host/x'])
    expect(stderr).not.toContain('s3cret')
  })

  it('prints a stack with --debug only', async () => {
    const { stderr } = await afresh(['plan', '--url', 'sqlite:/nowhere.db', '--debug'])
    expect(stderr).toMatch(/^ +at /m)
  })
})

describe('doctor', () => {
  it('reports what is available, and the same in JSON', async () => {
    const plain = await afresh(['doctor'])
    for (const word of [
      'Servers',
      'embedded',
      'container',
      'Packages',
      'pg',
      'Detectors',
      'scan',
      process.version,
    ]) {
      expect(plain.stdout).toContain(word)
    }
    const { code, stdout } = await afresh(['doctor', '--json'])
    const document = JSON.parse(stdout)
    expect(code).toBe(plain.code)
    expect(document.usable).toBe(code === 0)
    expect(document.usable).toBe(document.servers.container.available || document.servers.embedded.available)
    expect(document.drivers).toContainEqual({
      package: 'pg',
      purpose: expect.any(String),
      version: expect.stringMatching(/^\d/),
    })
    expect(document.detectors.map(({ name }: { name: string }) => name)).toEqual(['wal', 'counters', 'scan'])
  })
})
