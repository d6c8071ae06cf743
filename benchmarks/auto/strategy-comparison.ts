import { summarize } from '../../src/bench/measure.ts'
import type { Connection } from '../../src/engine/connection.ts'
import type { Databases } from '../../src/engine/databases.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { open } from '../../src/engine/registry.ts'
import { type Random, shuffled } from '../../src/generate/random.ts'
import type { Costs } from '../../src/plan/cost.ts'
import type { ResetOptions } from '../../src/reset/options.ts'
import type { ResetReport } from '../../src/reset/report.ts'
import { openSession } from '../../src/reset/session.ts'
import { type Client, connect } from '../client.ts'
import { type BenchServer, urlOf } from '../servers.ts'
import type { Case } from './cases.ts'
import { isClear, type Outcome } from './results.ts'
import { CREATE_FILLER, DROP_FILLER, NUMBERS_SQL, type Tables, tablesOf } from './tables.ts'
import { UNPRIVILEGED_ROLE, unprivilegedUrl } from './unprivileged-role.ts'

/** The same reset three times: forced to DELETE, forced to TRUNCATE, and chosen by the measured costs. */
const VARIANTS = ['delete', 'truncate', 'auto'] as const
type Variant = (typeof VARIANTS)[number]

const OPTIONS: ResetOptions = {
  strategy: 'auto',
  sequences: 'restart',
  keep: [],
  lockTimeoutMs: 10_000,
  detector: 'auto',
  crossCheck: false,
}

/** The least number of rounds for an unclear case, whatever their duration. */
const UNCLEAR_ROUNDS = 5

export interface Limits {
  /** The least number of rounds, even for a clear case. */
  readonly leastRounds: number
  /** `auto` takes part in only this many rounds: its choice does not change. */
  readonly autoRounds: number
  readonly mostRounds: number
  /** The time budget for a case. The least number of rounds may exceed it. */
  readonly budgetMs: number
  readonly random: Random
}

interface VariantDatabase {
  readonly variant: Variant
  readonly mark: string
  readonly url: string
}

/** A database for each of the three variants on one server. */
export class StrategyComparison {
  readonly #engine: Engine
  readonly #server: BenchServer
  readonly #costs: Costs
  readonly #databases: readonly VariantDatabase[]

  private constructor(
    engine: Engine,
    server: BenchServer,
    costs: Costs,
    variantDatabases: readonly VariantDatabase[],
  ) {
    this.#engine = engine
    this.#server = server
    this.#costs = costs
    this.#databases = variantDatabases
  }

  static async on(server: BenchServer, costs: Costs): Promise<StrategyComparison> {
    const { url } = server.running
    const { engine, connection } = await open(url)
    const { databases } = engine
    if (databases === undefined) throw new Error(`${engine.title} has no server`)
    if (isPostgres(server))
      await connection.query(`CREATE ROLE ${UNPRIVILEGED_ROLE} LOGIN PASSWORD '${UNPRIVILEGED_ROLE}'`)
    else await connection.query(NUMBERS_SQL)
    const variantDatabases: VariantDatabase[] = []
    for (const variant of VARIANTS)
      variantDatabases.push(await createVariantDatabase(variant, server, databases, connection))
    await connection.close()
    return new StrategyComparison(engine, server, costs, variantDatabases)
  }

  /**
   * Opens some cases in one schema; all of them with constraints disabled, or all with constraints enabled.
   */
  async open(cases: readonly Case[]): Promise<CaseComparison> {
    const tables = cases.map((benchCase) => tablesOf(this.#server.running.engine, benchCase))
    return new CaseComparison(
      await Promise.all(this.#databases.map((context) => this.#openSession(context, cases, tables))),
    )
  }

  async #openSession(
    { variant, url, mark }: VariantDatabase,
    cases: readonly Case[],
    tables: readonly Tables[],
  ): Promise<VariantSession> {
    const sessionUrl = cases.every((benchCase) => benchCase.mayDisableChecks) ? url : unprivilegedUrl(url)
    const writer = await connect(sessionUrl)
    await writer.run([CREATE_FILLER, ...tables.map(({ create }) => create)].join('; '))
    if (isPostgres(this.#server)) await writer.run(FLUSH_AT_COMMIT)
    const connection = await this.#engine.connect(sessionUrl)
    const costs = costsFor(variant, this.#costs)
    const session = await openSession({
      engine: this.#engine,
      connection,
      options: OPTIONS,
      claim: { mark },
      costs,
    })
    const close = async () => {
      await session.close()
      await connection.close()
      await writer.run([DROP_FILLER, ...tables.map(({ drop }) => drop)].join('; '))
      await writer.close()
    }
    const reset = async () => (await session.reset()).report
    const runs = tables.map((of) => new Run(variant, of, writer, reset))
    return { runs: new Map(cases.map(({ no }, index) => [no, runs[index] as Run])), close }
  }
}

/** One of the three variants, with all cases of a comparison. */
interface VariantSession {
  readonly runs: ReadonlyMap<Case['no'], Run>
  close(): Promise<void>
}

/** The sessions of the three variants for some cases. */
export class CaseComparison {
  readonly #sessions: readonly VariantSession[]

  constructor(sessions: readonly VariantSession[]) {
    this.#sessions = sessions
  }

  /** Samples of earlier runs of the case count as well. */
  run({ no }: Case, limits: Limits): Promise<Outcome> {
    return compareRuns(
      this.#sessions.flatMap(({ runs }) => runs.get(no) ?? []),
      limits,
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()))
  }
}

/** The costs of a server on which DELETE or TRUNCATE costs nothing, according to the variant. */
function costsFor(variant: Variant, costs: Costs): Costs {
  switch (variant) {
    case 'auto':
      return costs
    case 'delete':
      return { ...costs, truncate: 1e15 }
    case 'truncate':
      return { ...costs, truncate: 0, truncateFile: 1e-9, truncateKey: 0, planTable: 0 }
  }
}

/** One variant of one case. */
class Run {
  readonly variant: Variant
  readonly samples: number[] = []
  truncated = 0
  detector = ''
  readonly #tables: Tables
  readonly #writer: Client
  readonly #reset: () => Promise<ResetReport>

  constructor(variant: Variant, tables: Tables, writer: Client, reset: () => Promise<ResetReport>) {
    this.variant = variant
    this.#tables = tables
    this.#writer = writer
    this.#reset = reset
  }

  async round(): Promise<void> {
    await this.#writer.run(this.#tables.renew)
    await this.#reset()
    await this.#writer.run(this.#tables.fill)
    const start = performance.now()
    const { steps, detector } = await this.#reset()
    this.samples.push(performance.now() - start)
    this.detector = detector
    const done = steps.find(({ step }) => step === `delete from ${this.#tables.subject}`)
    if (done === undefined) throw new Error(`nothing emptied the table: ${JSON.stringify(steps)}`)
    const isTruncated = done.truncated
    if (this.variant !== 'auto' && isTruncated !== (this.variant === 'truncate'))
      throw new Error(`the reset that was to ${this.variant} did not`)
    if (isTruncated) this.truncated++
  }
}

async function compareRuns(runs: readonly Run[], limits: Limits): Promise<Outcome> {
  const until = performance.now() + limits.budgetMs
  for (let round = 1; round <= limits.mostRounds; round++) {
    const due = runs.filter(({ variant }) => variant !== 'auto' || round <= limits.autoRounds)
    for (const run of shuffled(due, limits.random)) await run.round()
    const outcome = outcomeOf(runs)
    const inHaste = performance.now() > until
    if (round < limits.leastRounds) continue
    if (isClear(outcome, { inHaste }) || (inHaste && round >= UNCLEAR_ROUNDS)) return outcome
  }
  return outcomeOf(runs)
}

function outcomeOf(runs: readonly Run[]): Outcome {
  const of = (variant: Variant) => {
    const run = runs.find((candidate) => candidate.variant === variant)
    if (run === undefined) throw new Error(`there is no variant ${variant}`)
    return run
  }
  const auto = of('auto')
  return {
    delete: summarize(of('delete').samples),
    truncate: summarize(of('truncate').samples),
    auto: summarize(auto.samples),
    truncated: auto.truncated,
    detector: auto.detector,
  }
}

/**
 * A test takes longer than one statement, so its WAL has been flushed by the time of its reset. Otherwise the
 * flush would count for one method only.
 */
const FLUSH_AT_COMMIT = 'SET synchronous_commit = on'

async function createVariantDatabase(
  variant: Variant,
  server: BenchServer,
  databases: Databases,
  admin: Connection,
): Promise<VariantDatabase> {
  const name = `afresh_bench_auto_${variant}`
  const mark = await databases.create(admin, name)
  if (isPostgres(server)) await admin.query(`ALTER DATABASE ${name} OWNER TO ${UNPRIVILEGED_ROLE}`)
  return { variant, mark, url: urlOf(server.running.url, name) }
}

function isPostgres({ running }: BenchServer): boolean {
  return running.engine === 'postgres'
}
