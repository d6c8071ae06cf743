/**
 * Runs every project of test/consumers repeatedly, in random order on four workers: `npm run soak:consumers`.
 */
import { Consumer, pack, type Ran, unpack } from '../../test/runner/consumer.ts'
import { optionsOf, wholeNumber } from '../options.ts'

interface Project {
  readonly name: string
  readonly packages: readonly string[]
  run(consumer: Consumer): Promise<Ran>
  /** Runs without resets, which has to fail. */
  without(consumer: Consumer): Promise<Ran>
}

const NO_RESET = { AFRESH_CONSUMER_NO_RESET: '1' }
const NODE = ['--import', 'afresh/node-test', '--test', 'tests/']

const MOCHA = 'node_modules/mocha/bin/mocha.js'

const PROJECTS: readonly Project[] = [
  ...['4', '3.2'].map((version) => ({
    name: 'vitest-basic',
    packages: [`vitest@~${version}`],
    run: (consumer: Consumer) => consumer.vitest(),
    without: (consumer: Consumer) => consumer.vitest(NO_RESET),
  })),
  ...['30', '29'].map((version) => ({
    name: 'jest-basic',
    packages: [`jest@^${version}`],
    run: (consumer: Consumer) => consumer.jest(['--randomize', '--maxWorkers=4']),
    without: (consumer: Consumer) => consumer.jest(['--randomize', '--maxWorkers=4'], NO_RESET),
  })),
  {
    name: 'node-test-basic',
    packages: [],
    run: (consumer) => consumer.node('--test-concurrency=4', NODE),
    without: (consumer) => consumer.node('--test-concurrency=4', NODE, { NO_RESET: '1' }),
  },
  {
    name: 'mocha-basic',
    packages: [],
    run: (consumer) => consumer.node(MOCHA, ['--require', 'afresh/mocha', '--parallel', 'tests/*.test.*']),
    without: (consumer) => consumer.node(MOCHA, ['--require', './variants/no-reset.cjs', 'tests/*.test.*']),
  },
  {
    name: 'e2e',
    packages: [],
    run: (consumer) => consumer.playwright(),
    without: (consumer) => consumer.playwright({ NO_RESET: '1' }, ['--max-failures=10']),
  },
]

const USAGE = `npm run soak:consumers -- [options]
  --times N   runs of each project; default 20
  --only TEXT those projects whose name has it`

const { times, only } = optionsOf(USAGE, {
  times: { type: 'string', default: '20' },
  only: { type: 'string', default: '' },
})
const runs = wholeNumber(times, 'times')
const tarball = await pack()
let failures = 0
for (const { name, packages, run, without } of PROJECTS.filter((project) => project.name.includes(only))) {
  const consumer = await Consumer.install(name, tarball, packages)
  const title = [name, ...packages].join(' with ')
  let passed = 0
  for (let no = 1; no <= runs; no++) {
    const { exitCode, output } = await run(consumer)
    if (exitCode === 0) passed++
    else console.error(`${title}, run ${no}:\n${output}`)
  }
  const { exitCode } = await without(consumer)
  const isRight = passed === runs && exitCode !== 0
  if (!isRight) failures++
  console.log(
    `${title}: ${passed} of ${runs} passed; with resets turned off it ${exitCode === 0 ? 'passed' : 'failed'}`,
  )
  consumer.remove()
}
unpack(tarball)
process.exitCode = failures === 0 ? 0 : 1
