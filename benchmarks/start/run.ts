/** Measures the start-up costs of afresh: `npm run bench:start`. Options: see `USAGE`. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { optionsOf, wholeNumber } from '../options.ts'

const USAGE = `npm run bench:start -- [options]
  --rounds N       how often each program is started, in turns; default 30
  --size           also install the package, and say what it takes on the disk (asks the registry)`

const ROOT = join(import.meta.dirname, '../..')

const values = optionsOf(USAGE, {
  rounds: { type: 'string', default: '30' },
  size: { type: 'boolean', default: false },
})
const rounds = wholeNumber(values.rounds, 'rounds')

/** Each runs in a separate process, in a folder in which the built package and pg can be resolved. */
const PROGRAMS = {
  'node -e 0': ['-e', '0'],
  "import('pg')": ['-e', "import('pg')"],
  "import('afresh')": ['-e', "import('afresh')"],
  'afresh --help': ['dist/cli/main.js', '--help'],
} as const
type Program = keyof typeof PROGRAMS

const programs = Object.keys(PROGRAMS) as Program[]

function millisecondsOf(program: Program): number {
  const begin = performance.now()
  execFileSync(process.execPath, PROGRAMS[program], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  return performance.now() - begin
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

// One run first, to fill the file system cache.
for (const program of programs) millisecondsOf(program)
const turns = Array.from({ length: rounds }, () =>
  Object.fromEntries(programs.map((program) => [program, millisecondsOf(program)])),
)

/** The median time that the program takes in addition to starting node in the same round. */
function ownMs(program: Program): number {
  return median(turns.map((turn) => (turn[program] ?? 0) - (turn['node -e 0'] ?? 0)))
}

console.log(`node -e 0: ${median(turns.map((turn) => turn['node -e 0'] ?? 0)).toFixed(0)} ms`)
for (const program of programs.slice(1)) {
  console.log(`${program}: ${ownMs(program).toFixed(0)} ms of its own`)
}
const ratio = ownMs("import('afresh')") / ownMs("import('pg')")
console.log(`import('afresh') takes ${ratio.toFixed(2)} times what import('pg') takes`)
if (values.size) console.log(`npm i afresh: ${(sizeInstalled() / 1e6).toFixed(1)} MB on the disk`)

/** Bytes in file system blocks, as `du` counts them, of afresh and its dependencies. */
function sizeInstalled(): number {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-size-'))
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, stdio: 'ignore' })
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
    writeFileSync(join(folder, 'package.json'), '{}')
    const omitted = ['dev', 'peer', 'optional'].map((kind) => `--omit=${kind}`)
    execFileSync('npm', ['install', '--silent', ...omitted, `./${tarball}`], { cwd: folder, stdio: 'ignore' })
    const installed = join(folder, 'node_modules')
    return readdirSync(installed, { recursive: true, encoding: 'utf8' })
      .map((name) => statSync(join(installed, name)).blocks * 512)
      .reduce((sum, bytes) => sum + bytes, 0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
