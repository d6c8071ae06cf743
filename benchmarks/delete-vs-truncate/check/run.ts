/**
 * Repeats cells of the main experiment with psql and the mysql client: `npm run bench:delete-vs-truncate-check`.
 * Prints both ratios of DELETE over TRUNCATE with their intervals, and fails if they do not overlap.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ratioInterval } from '../../../src/bench/bootstrap.ts'
import { summarize } from '../../../src/bench/summary.ts'
import { container, startServer } from '../../../src/server/server.ts'
import { optionsOf, roundTo, wholeNumber, wholeNumbers } from '../../options.ts'
import { RESULTS, ratioAt } from '../read-results.ts'

const USAGE = `npm run bench:delete-vs-truncate-check -- [options]
  --servers LIST   default postgres:18,mysql:9.7,mariadb:11.8
  --rows LIST      default 1,100,300,1000,3000,10000,30000
  --rounds N       default 15`
const values = optionsOf(USAGE, {
  servers: { type: 'string', default: 'postgres:18,mysql:9.7,mariadb:11.8' },
  rows: { type: 'string', default: '1,100,300,1000,3000,10000,30000' },
  rounds: { type: 'string', default: '15' },
})
const sizes = wholeNumbers(values.rows, 'rows')
const rounds = wholeNumber(values.rounds, 'rounds')

interface Line {
  readonly server: string
  readonly rows: number
  readonly ratio: number
  readonly low: number
  readonly high: number
  readonly page: { readonly ratio: number; readonly low: number; readonly high: number } | undefined
  readonly agrees: boolean
}

const lines: Line[] = []
for (const image of values.servers.split(',')) lines.push(...(await check(image)))
writeFileSync(
  join(RESULTS, '../check/results.json'),
  `${JSON.stringify({ date: new Date().toISOString(), lines }, null, 1)}\n`,
)
const apart = lines.filter(({ agrees }) => !agrees)
console.log(`${lines.length - apart.length} of ${lines.length} ratios agree within their intervals`)
process.exitCode = apart.length === 0 ? 0 : 1

async function check(image: string): Promise<Line[]> {
  await using server = await startServer(container(image))
  const password = decodeURIComponent(new URL(server.url).password)
  const exec = ['docker', 'exec', '-i', '-e', `MYSQL_PWD=${password}`, server.containerId ?? '']
  const client = {
    postgres: ['psql', '-U', 'postgres', 'postgres'],
    mysql: ['mysql', '-uroot', 'checked'],
    mariadb: ['mariadb', '-uroot', 'checked'],
  }[server.engine]
  if (server.engine !== 'postgres') run([...exec, client[0] ?? '', '-uroot', '-e', 'CREATE DATABASE checked'])
  const script = join(import.meta.dirname, server.engine === 'postgres' ? 'psql.sh' : 'mysql.sh')
  const text = run([script, String(rounds), sizes.join(' '), ...exec, ...client])
  return sizes.map((rows) => compare(image, rows, text))
}

function compare(image: string, rows: number, text: string): Line {
  const timesOf = (method: string) => {
    const samples = text.split('\n').flatMap((line) => {
      const [size, name, ms] = line.split(',')
      return size === String(rows) && name === method ? [Number(ms)] : []
    })
    return { ...summarize(samples), samples }
  }
  const [first, second] = [timesOf('delete'), timesOf('truncate')]
  const own = { ratio: first.median / second.median, ...ratioInterval(first, second) }
  const page = ratioAt({ experiment: 'main', case: 'base', server: { image } }, rows, 'wall')
  const agrees = page !== undefined && own.low <= page.high && page.low <= own.high
  const shown = (one: { ratio: number; low: number; high: number } | undefined) =>
    one === undefined ? 'not measured' : `${roundTo(one.ratio)} (${roundTo(one.low)}–${roundTo(one.high)})`
  console.log(`${image}, ${rows} rows: ${shown(own)}, the page ${shown(page)}${agrees ? '' : ': APART'}`)
  return { server: image, rows, ...own, page, agrees }
}

function run([command = '', ...args]: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`)
  return stdout
}
