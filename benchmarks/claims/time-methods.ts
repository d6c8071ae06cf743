import { interleave, type Summary, summarize } from '../../src/bench/measure.ts'
import { randomFrom } from '../../src/generate/random.ts'
import type { ClaimContext } from './claim-context.ts'
import { tableSql } from './dialect.ts'
import { runAll } from './queries.ts'

/** One method to empty a table. It has its own table, named after it. */
export interface Method {
  readonly id: string
  /** Runs once, before the measurement. */
  readonly prepare?: (table: string) => readonly string[]
  /** The timed statements. */
  readonly empty: (table: string) => readonly string[]
}

export interface MethodTimes {
  /** Milliseconds of all statements of a round together. */
  readonly whole: Summary
  /** Milliseconds of each statement. */
  readonly each: Summary
  /** Milliseconds of the slowest statement of a round. */
  readonly slowest: Summary
}

/**
 * Fills and empties a table with `rows` rows and one more index; the methods take turns, each equally often.
 */
export async function timeMethods<const Methods extends readonly Method[]>(
  context: ClaimContext,
  methods: Methods,
  rows: number,
  rounds: number,
): Promise<Record<Methods[number]['id'], MethodTimes>> {
  const variants = []
  for (const method of methods) variants.push(await variantOf(context, method, rows))
  const measured = await interleave(variants, {
    rounds,
    leastRounds: rounds,
    budgetOf: () => Infinity,
    random: randomFrom(1),
  })
  for (const { table } of variants) await context.client.run(`DROP TABLE ${table}`)
  const entries = variants.map(({ id, times }) => {
    const run = measured.get(id)
    if (run === undefined || run.failure !== undefined) throw run?.failure
    // The first rounds are warm-up.
    const counted = times.slice(-run.samples.length)
    const methodTimes: MethodTimes = {
      whole: summarize(run.samples),
      each: summarize(counted.flat()),
      slowest: summarize(counted.map((round) => Math.max(...round))),
    }
    return [id, methodTimes]
  })
  return Object.fromEntries(entries) as Record<Methods[number]['id'], MethodTimes>
}

async function variantOf({ client, sql }: ClaimContext, { id, prepare, empty }: Method, rows: number) {
  const table = `by_${id}`
  await runAll(client, [tableSql(table), `CREATE INDEX ${table}_name ON ${table} (name)`])
  if (prepare !== undefined) await runAll(client, prepare(table))
  const renew = sql.renew(table)
  /** Milliseconds of the statements, by round. */
  const times: number[][] = []
  return {
    id,
    table,
    times,
    async round() {
      await client.run(sql.fill(table, rows))
      const round: number[] = []
      for (const statement of empty(table)) {
        const begin = performance.now()
        await client.run(statement)
        round.push(performance.now() - begin)
      }
      if (renew !== undefined) await client.run(renew)
      times.push(round)
      return round.reduce((sum, time) => sum + time, 0)
    },
  }
}
