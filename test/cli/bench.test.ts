import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { machine } from '../../src/bench/machine.ts'
import { type BenchResults, parseResults } from '../../src/bench/results.ts'
import { sampleResults } from '../bench/report/sample.ts'
import { builtCli, CLI_MAIN } from '../support/cli.ts'
import { eventually } from '../support/eventually.ts'

/** Uses SQLite, which needs no server. */
describe('afresh bench', () => {
  let cli: Awaited<ReturnType<typeof builtCli>>
  const folder = mkdtempSync(join(tmpdir(), 'afresh-bench-test-'))
  const small = ['bench', '--engine', 'sqlite', '--rows', '0,100', '--rounds', '3', '--budget', '0.02']
  const out = join(folder, 'out')
  beforeAll(async () => {
    cli = await builtCli()
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('measures, prints, and writes figures, charts and a page', async () => {
    const { code, stdout, stderr } = await cli([...small, '--out', out])
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/2\/2 {2}sqlite, base, 100 rows, about 0:\d\d min left/)
    expect(stdout).toMatch(/^ {2}rows +0 +100$/m)
    expect(stdout).toMatch(/^ {2}DELETE row by row +\S+ ms +\S+ ms$/m)
    expect(stdout).toMatch(/SQLite \S+: DELETE; TRUNCATE is not possible here \(SQLite has no TRUNCATE/)
    const results = parseResults(readFileSync(join(out, 'results.json'), 'utf8'), 'results.json')
    expect(results.complete).toBe(true)
    for (const file of ['report.html', 'results.csv', 'chart-sqlite.svg']) {
      expect(existsSync(join(out, file)), file).toBe(true)
    }
  })

  it('measures nothing twice, and adds what is new', async () => {
    const before = readFileSync(join(out, 'results.json'), 'utf8')
    const { code, stdout } = await cli([...small, '--cases', 'base,trigger', '--out', out, '--json'])
    expect(code).toBe(0)
    const { results } = JSON.parse(stdout)
    const added = ['delete', 'truncate'].map((method) => ({ case: 'trigger', rows: 100, method }))
    expect(results.cells).toEqual([
      ...JSON.parse(before).cells,
      ...added.map((cell) => expect.objectContaining(cell)),
    ])
    expect(results.settings.cases).toEqual(['base', 'trigger'])
  })

  it('is wrong usage if the folder has results of other conditions, and keeps those', async () => {
    const before = readFileSync(join(out, 'results.json'), 'utf8')
    const { code, stderr } = await cli([...small, '--seed', '7', '--out', out])
    expect(code).toBe(2)
    expect(stderr).toMatch(/--seed 1 rather than 7.*\n.*--out.*--fresh/)
    expect(readFileSync(join(out, 'results.json'), 'utf8')).toBe(before)
  })

  it('compares with an earlier run', async () => {
    const { code, stdout } = await cli([
      ...small,
      '--out',
      join(folder, 'second'),
      '--against',
      join(out, 'results.json'),
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/18 figures in common: everything takes \S+ times as long/)
  })

  it.each([
    [['--methods', 'vacuum'], /There is no method 'vacuum': delete, /],
    [['--cases', 'indexes'], /There is no case 'indexes': base, /],
    [['--rows', '1e9x'], /whole numbers/],
    [['--engine', 'oracle:23'], /'oracle:23' names no server/],
    [['--url', 'postgres://localhost/shop', '--engine', 'sqlite'], /--url and --engine/],
    [
      ['--url', 'postgres://localhost/shop', '--methods', 'delete', '--full'],
      /With --url there is no --methods, --full/,
    ],
    [['--against', join(folder, 'wrong', 'results.json')], /it cannot be compared with itself/],
    [['--against', 'nowhere.json'], /nowhere\.json cannot be read/],
    [['--rows', '1000,1,000'], /'000' looks like a part of a larger number/],
    [
      ['--engine', 'sqlite', '--rows', '10,99999999999'],
      /99,999,999,999 rows cannot be measured on sqlite: they would take [\d,]+ GiB of memory, and .*\n.*up to [\d,]+ rows fit/,
    ],
    [['--engine', 'sqlite', '--set', 'a=1'], /--set a needs a server that is started for it, not sqlite/],
    [['--set', 'shared_buffers'], /a setting of the server and its value: shared_buffers=4GB/],
    [['--fail-above', '1.25'], /there is no --against/],
    [['--fail-above', '0.5', '--against', 'x.json'], /a number from 1 on/],
  ])('is wrong usage with %j', async (args, message) => {
    const { code, stderr } = await cli(['bench', ...args, '--out', join(folder, 'wrong')])
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(existsSync(join(folder, 'wrong'))).toBe(false)
  })

  it('takes numbers of rows with separators', async () => {
    const spread = join(folder, 'spread')
    const args = ['bench', '--engine', 'sqlite', '--methods', 'delete', '--rounds', '3', '--budget', '0.01']
    const { code, stdout, stderr } = await cli([
      ...args,
      '--rows',
      '1,000 2k;3_000 1e1',
      '--out',
      spread,
      '--json',
    ])
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout).results.settings.rows).toEqual([10, 1000, 2000, 3000])
  })

  it('says what is wrong with a folder that takes no results', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, 'not a folder')
    for (const [place, reason] of [
      [file, 'is a file, not a folder'],
      [join(file, 'in'), 'is inside a file'],
    ] as const) {
      const { code, stderr } = await cli([...small, '--out', place])
      expect([code, stderr]).toEqual([2, expect.stringContaining(`${place} ${reason}`)])
    }
    expect(readFileSync(file, 'utf8')).toBe('not a folder')
  })

  it('fails in CI if a figure takes longer than allowed, and prints Markdown for its summary', async () => {
    const before = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))
    const faster = (cell: { readonly outcome: string; readonly samples?: number[] }) => ({
      ...cell,
      ...Object.fromEntries(['median', 'q1', 'q3', 'min', 'max'].map((name) => [name, 1e-4])),
      samples: cell.samples?.map(() => 1e-4),
    })
    const cells = before.cells.map((cell: Parameters<typeof faster>[0]) =>
      cell.outcome === 'measured' ? faster(cell) : cell,
    )
    const file = join(folder, 'faster.json')
    writeFileSync(file, JSON.stringify({ ...before, cells }))
    const again = ['--out', out, '--against', file, '--markdown', '--samples']
    const slow = await cli([...small, '--cases', 'base,trigger', ...again, '--fail-above', '1.25'])
    expect(slow.code, slow.stderr).toBe(1)
    expect(slow.stderr).toMatch(/\d+ of \d+ figures certainly take more than 1.25 times as long as before/)
    expect(slow.stdout).toMatch(/^### SQLite [\s\S]*\| base case \| DELETE \| .*\n[\s\S]*### Against /)
    const lines = readFileSync(join(out, 'samples.csv'), 'utf8').split('\r\n')
    expect(lines[0]).toBe('server,case,rows,method,round,ms')
    expect(lines[1]).toMatch(/^sqlite,base,0,delete,1,\d/)
    expect((await cli([...small, '--cases', 'base,trigger', '--out', out, '--against', file])).code).toBe(0)
  })

  it('rejects a file that is not a result of afresh bench', async () => {
    const file = join(folder, 'other.json')
    writeFileSync(file, '{"format": 2}')
    const { code, stderr } = await cli([...small, '--out', join(folder, 'wrong'), '--against', file])
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/other\.json holds no results of `afresh bench`/),
    ])
  })

  it('uses less than 200 MB, including the report of seven servers and all drivers', async () => {
    const root = join(import.meta.dirname, '..', '..')
    const all = join(folder, 'all')
    mkdirSync(all)
    const sample = sampleResults()
    const [server] = sample.servers
    if (server === undefined) throw new Error('the sample has a server')
    const ids = Array.from({ length: 7 }, (_, index) => `server-${index + 1}`)
    const results: BenchResults = {
      ...sample,
      machine: { ...sample.machine, ...machine() },
      settings: { ...sample.settings, rounds: 30, leastRounds: 15, budgetMs: 1000 },
      servers: ids.map((id) => ({ ...server, id })),
      cells: ids.flatMap((id) =>
        sample.cells.filter((cell) => cell.server === server.id).map((cell) => ({ ...cell, server: id })),
      ),
    }
    writeFileSync(join(all, 'results.json'), JSON.stringify(results))
    const preload = join(folder, 'preload.cjs')
    writeFileSync(
      preload,
      `const { createRequire } = require('node:module')
      const load = createRequire(${JSON.stringify(join(root, 'package.json'))})
      for (const name of ['pg', 'mysql2/promise', 'testcontainers', '@testcontainers/mysql']) load(name)
      // Linux counts the memory of whoever started a process to its \`maxRSS\`.
      const { existsSync, readFileSync } = require('node:fs')
      const peak = () => existsSync('/proc/self/status')
        ? /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
        : process.resourceUsage().maxRSS
      process.on('exit', () => process.stderr.write('PEAK ' + peak()))`,
    )
    const { code, stderr } = await cli(
      ['bench', '--engine', 'sqlite', '--cases', 'base', '--rows', '100', '--out', all],
      { env: { NODE_OPTIONS: `--require ${JSON.stringify(preload)}` } },
    )
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('1/1  sqlite, base, 100 rows')
    expect(readdirSync(all).filter((name) => name.endsWith('.svg')).length).toBeGreaterThan(20)
    const peak = 1024 * Number(/PEAK (\d+)/.exec(stderr)?.[1])
    expect(peak).toBeGreaterThan(50e6)
    expect(peak).toBeLessThan(200e6)
  })

  it.skipIf(process.platform === 'win32')(
    'keeps its results when it is interrupted, and continues',
    async () => {
      const args = [
        'bench',
        '--engine',
        'sqlite',
        '--rows',
        '1,1000,300000',
        '--methods',
        'delete,delete-rows,orm-100',
        '--rounds',
        '3',
        '--budget',
        '0.05',
      ]
      const child = spawn(process.execPath, [CLI_MAIN, ...args, '--out', join(folder, 'cut')], {
        env: { ...process.env, NODE_ENV: 'test' },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
      await eventually(() => /3\/3 {2}sqlite/.test(said) || undefined)
      const made = foldersOf(child.pid)
      expect(made).toHaveLength(1)
      child.kill('SIGINT')
      expect(await ended).toBe(130)
      await eventually(() => !made.some((path) => existsSync(path)) || undefined)
      expect(said).toMatch(
        /Stopped\. What was measured is in .*results\.json; the same command continues from there/,
      )
      const cut = parseResults(readFileSync(join(folder, 'cut', 'results.json'), 'utf8'), 'it')
      expect(cut.complete).toBe(false)
      expect(cut.settings.rows).toEqual([1, 1000, 300_000])
      expect(cut.cells.map(({ rows }) => rows)).toEqual([1, 1, 1, 1000, 1000, 1000])
      const again = await cli([...args, '--out', join(folder, 'cut'), '--json'])
      expect(again.code, again.stderr).toBe(0)
      expect(again.stderr).toContain('1/1  sqlite, base, 300,000 rows')
      const { results } = JSON.parse(again.stdout)
      const added = ['delete', 'delete-rows', 'orm-100'].map((method) => ({ rows: 300_000, method }))
      expect(results.cells).toEqual([...cut.cells, ...added.map((cell) => expect.objectContaining(cell))])
      expect(results.complete).toBe(true)
    },
  )
})

/** The folders of measured databases that the process has open. */
function foldersOf(pid: number | undefined): string[] {
  const open = `/proc/${pid}/fd`
  const files = readdirSync(open).flatMap((name) => {
    try {
      return [readlinkSync(join(open, name))]
    } catch {
      return [] // closed meanwhile
    }
  })
  return [...new Set(files.filter((path) => path.includes('/afresh-bench-')).map(dirname))]
}
