import type { Filled } from '../../generate/fill.ts'
import { median } from '../../util/median.ts'
import { aligned, count, duration, listed, type Output, printable } from '../output.ts'
import { writeOrder } from '../plan-text.ts'
import type { Ready, ScenarioResult } from './run-scenario.ts'

/** Generated rows, and the seed that reproduces them. */
export interface Made {
  readonly filled: Filled
  readonly seed: number
}

/** What is known before the first test. */
export interface ReadyText extends Ready {
  /** The title of the schema. */
  readonly title: string
  /** Why this server was chosen. */
  readonly reason: string
}

export function writeReady(stage: ReadyText, made: Made | undefined, output: Output): void {
  const { title, reason, server, plan, baselineRows, readyMs } = stage
  const tables = plan.order.flat().length + plan.kept.length
  const rows: [string, string][] = [
    ['server', `${server}: ${reason}`],
    [
      'schema',
      `${title}: ${count(tables, 'table')}, ${count(plan.foreignKeys, 'foreign key')}, ${count(plan.sequences, 'sequence')}`,
    ],
    [
      'baseline',
      `${count(baselineRows, 'row')} in ${plan.tablesWithRows.length} tables, kept as a template; the test database is a copy of it`,
    ],
    ['ready in', duration(readyMs)],
  ]
  output.line(output.style.bold('A real database, restored after every test'))
  for (const line of aligned(rows)) output.line(line)
  if (made !== undefined) writeFilled(made.filled, made.seed, output)
  output.line()
  output.line(output.style.bold('The order in which rows can go: children before parents'))
  writeOrder(plan, output)
  output.line()
  output.line(output.style.bold('Tests, each through a connection of its own; a reset after each'))
}

export function writeResult(index: number, played: ScenarioResult, output: Output): void {
  const { style, width } = output
  const room = width - 16
  const { title, wrote, dirty, steps, durationMs, differences } = played
  const rows = steps.reduce(
    (sum, { kind, rows: touched }) => sum + (kind === 'restart' ? 0 : (touched ?? 0)),
    0,
  )
  const cut = steps.filter(({ truncated }) => truncated)
  const did = [
    count(steps.length, 'step'),
    ...(rows > 0 ? [count(rows, 'row')] : []),
    ...(cut.length > 0 ? ['by TRUNCATE, as there are many'] : []),
  ].join(', ')
  output.line()
  output.line(`  ${style.bold(`${index}  ${title}`)}`)
  const lines: [string, string][] = [
    ...(wrote === undefined ? [] : [['wrote', printable(wrote)] as [string, string]]),
    ['dirty', dirty.length === 0 ? 'nothing' : listed(dirty, room)],
    ['reset', `${duration(durationMs)}: ${steps.length === 0 ? 'nothing to do' : did}`],
    [
      'now',
      differences.length === 0
        ? style.good('equal to the baseline, every row and every next id')
        : style.bad(
            `NOT the baseline: ${listed(
              differences.map(({ subject, difference }) => `${subject} ${difference}`),
              400,
            )}`,
          ),
    ],
  ]
  for (const line of aligned(lines, '     ')) output.line(line)
}

/** Prints the number of generated rows, and the tables for which none could be generated. */
function writeFilled({ rows, leftEmpty }: Filled, seed: number, output: Output): void {
  output.line(`  rows were generated: ${count(rows, 'row')}, seed ${seed}`)
  if (leftEmpty.length === 0) return
  output.line(`  left empty, because no row could be generated: ${count(leftEmpty.length, 'table')}`)
  for (const { table, reason } of leftEmpty)
    output.line(output.style.dim(`    ${printable(table)}: ${reason.split('\n')[0]}`))
}

/** Prints one line for a round after the first. */
export function writeRound(round: number, played: readonly ScenarioResult[], output: Output): void {
  const failed = played.filter(({ differences }) => differences.length > 0)
  if (round === 2) output.line()
  output.line(
    `  round ${round}: ${count(played.length, 'test')}, median reset ${duration(median(played.map(({ durationMs }) => durationMs)) ?? 0)}, ` +
      (failed.length === 0 ? 'all equal to the baseline' : `${failed.length} NOT equal to the baseline`),
  )
  for (const result of failed) writeResult(played.indexOf(result) + 1, result, output)
}

export function writeVerdict(
  played: readonly ScenarioResult[],
  { plan, baselineRows }: Ready,
  output: Output,
): void {
  const failed = played.filter(({ differences }) => differences.length > 0)
  const what = `all ${plan.order.flat().length} tables (${count(baselineRows, 'row')}) and ${count(plan.sequences, 'sequence')}`
  output.line()
  output.line(
    failed.length === 0
      ? output.style.good(
          `Done: ${count(played.length, 'reset')}, median ${duration(median(played.map(({ durationMs }) => durationMs)) ?? 0)}; after each, ${what} were the baseline's again.`,
        )
      : output.style.bad(
          `Failed: after ${failed.length} of ${count(played.length, 'reset')} the database was not at its baseline.`,
        ),
  )
}
