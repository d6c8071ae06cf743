/** Resets of schemas of several shapes, against hand-written SQL: `npm run bench:shapes`. Options: see `USAGE`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { optionsOf, wholeNumber } from '../options.ts'
import { startBenchServer } from '../servers.ts'
import { type Figure, measureShape } from './measure.ts'
import { shapeOf } from './shape.ts'

const SHAPES =
  'tables:30,tables:100,tables:1000,partitions:12,partitions:500,partitions:1000,partitions:5000,inheritance:12,inheritance:500,inheritance:1000'
const USAGE = `npm run bench:shapes -- [options]
  --servers LIST   default embedded:18
  --shapes LIST    default ${SHAPES}
  --roles LIST     superuser, plain (a role that may create databases only); default superuser,plain
  --rounds N       default 60
  --dirty N        how many tables or partitions a test writes to; default 3
  --out DIR        where results.json goes; default benchmarks/shapes`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: 'embedded:18' },
  shapes: { type: 'string', default: SHAPES },
  roles: { type: 'string', default: 'superuser,plain' },
  rounds: { type: 'string', default: '60' },
  dirty: { type: 'string', default: '3' },
  out: { type: 'string', default: import.meta.dirname },
})

const rounds = wholeNumber(values.rounds, 'rounds')
const dirty = wholeNumber(values.dirty, 'dirty', 0)
const shapes = values.shapes.split(',').map(shapeOf)
const roles = values.roles.split(',')
const figures: Figure[] = []
for (const id of values.servers.split(',')) {
  const server = await startBenchServer(id)
  try {
    for (const role of roles)
      for (const shape of shapes) {
        const figure = await measureShape(server, shape, { isPlain: role === 'plain', rounds, dirty })
        figures.push(figure)
        console.log(lineOf(figure))
      }
  } finally {
    await server.running.stop()
  }
}
const results = { format: 1, date: new Date().toISOString(), machine: machine(), rounds, dirty, figures }
writeFileSync(join(values.out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`)

function lineOf({ server, role, shape, prepareMs, methods }: Figure): string {
  const parts = methods.map(({ id, cpuMs, ms }) => `${id} ${cpuMs.toFixed(2)}/${ms.toFixed(2)}`)
  const hand = (of: 'cpuMs' | 'ms') =>
    Math.min(...methods.flatMap((m) => (m.id.startsWith('hand') ? [m[of]] : [])))
  const own = methods.find(({ id }) => id === 'afresh')
  const clean = methods.find(({ id }) => id === 'clean')
  const floor = methods.find(({ id }) => id === 'floor')
  const ratio = (a = Number.NaN, b = Number.NaN) => (a / b).toFixed(2)
  return `${server} ${role} ${shape}: prepared in ${Math.round(prepareMs)} ms; CPU ${ratio(own?.cpuMs, hand('cpuMs'))} wall ${ratio(own?.ms, hand('ms'))} clean/SELECT 1 ${ratio(clean?.ms, floor?.ms)} (CPU/wall ms: ${parts.join(', ')})`
}
