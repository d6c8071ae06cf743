import { randomInt } from 'node:crypto'
import { pickServer } from '../../server/pick-server.ts'
import { engineOf, parseServer, type ServerSpec } from '../../server/server.ts'
import type { Progress } from '../../util/progress.ts'
import { defineCommand } from '../command.ts'
import { scenarioOf } from '../demo/any-schema.ts'
import { type Ready, runScenario, type ScenarioResult } from '../demo/run-scenario.ts'
import { sampleScenario } from '../demo/scenario.ts'
import { type Made, type ReadyText, writeReady, writeResult, writeRound, writeVerdict } from '../demo/text.ts'
import { EXIT } from '../failure.ts'
import { wholeNumber } from '../options.ts'
import type { Output } from '../output.ts'

interface DemoFlags {
  readonly server?: string
  readonly schema?: string
  readonly rounds: number
  readonly seed?: number
}

export const demoCommand = defineCommand<DemoFlags>({
  notes: `
Starts a server, builds a bookshop's database on it, shows the reset order, runs tests that write, resets after
each, and proves by an independent fingerprint that rows and sequences equal the baseline. Exit code 1 if they
do not. Removes everything afterwards.

  afresh demo
  afresh demo --server mysql:9.7             or mariadb:11.8, postgres:17, embedded, the URL of a server
  afresh demo --schema db/structure.sql      your own tables, with generated rows and random tests`,
  options: (command) =>
    command
      .option('--server <server>', 'an image, `embedded`, or a URL (default: the best available)')
      .option('--schema <file>', 'an SQL file that makes tables: rows and tests are generated for them')
      .option('--rounds <n>', 'how many times the tests run', wholeNumber(1), 1)
      .option(
        '--seed <n>',
        'of the generated rows and tests (default: a new one, which is printed)',
        wholeNumber(1),
      ),

  async run(flags, output) {
    const { spec, reason } = await output.during((progress) => serverFor(flags.server, progress))
    const seed = flags.seed ?? randomInt(1, 1_000_000)
    let made: Made | undefined
    const story =
      flags.schema === undefined
        ? await sampleScenario(engineOf(spec))
        : await scenarioOf(flags.schema, seed, (filled) => {
            made = { filled, seed }
          })
    const all: ScenarioResult[] = []
    let stage: Ready | undefined
    await runScenario({
      scenario: story,
      server: spec,
      rounds: flags.rounds,
      during: output.during,
      onReady(ready) {
        stage = ready
        writeReady({ ...ready, title: story.title, reason }, made, output)
      },
      onResult(played) {
        all.push(played)
        if (played.round === 1) writeResult(all.length, played, output)
      },
    })
    if (stage === undefined) throw new Error('nothing was played')
    writeRounds(flags.rounds, all, output)
    writeVerdict(all, stage, output)
    output.document(documentOf({ ...stage, title: story.title, reason }, made, all))
    return all.every(isVerified) ? EXIT.done : EXIT.failed
  },
})

function isVerified({ differences }: ScenarioResult): boolean {
  return differences.length === 0
}

function writeRounds(rounds: number, all: readonly ScenarioResult[], output: Output): void {
  for (let round = 2; round <= rounds; round++) {
    const played = all.filter((result) => result.round === round)
    writeRound(round, played, output)
  }
}

function documentOf(stage: ReadyText, made: Made | undefined, tests: readonly ScenarioResult[]): object {
  const { plan, title, ...rest } = stage
  const { order, cycles, foreignKeys, sequences, tablesWithRows } = plan
  return {
    ...rest,
    schema: { title, tables: order.flat().length, foreignKeys, sequences, tablesWithRows, order, cycles },
    ...(made === undefined ? {} : { generated: { seed: made.seed, ...made.filled } }),
    tests,
    verified: tests.every(isVerified),
  }
}

async function serverFor(
  asked: string | undefined,
  progress: Progress,
): Promise<{ spec: ServerSpec; reason: string }> {
  if (asked === undefined) return pickServer({ progress })
  return { spec: parseServer(asked), reason: 'as requested' }
}
