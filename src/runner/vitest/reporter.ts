/** `reporters: ['default', 'afresh/vitest/reporter']`, with option `writes`: what each test wrote. */
import type { Reporter, TestCase } from 'vitest/node'
import type { TableWrites } from '../../reset/writes.ts'
import type { Meta } from './hooks.ts'

/** Prints after the run which tables each test wrote: `+` inserted, `~` updated, `-` deleted rows. */
export default class WritesReporter implements Reporter {
  readonly #lines: string[] = []

  onTestCaseResult(test: TestCase): void {
    const { afresh } = test.meta() as Meta
    if (afresh === undefined || afresh.writes.length === 0) return
    const tables = afresh.writes.map((table) => describeWrites(table)).join(', ')
    this.#lines.push(`${test.module.relativeModuleId} > ${test.fullName}: ${tables}`)
  }

  onTestRunEnd(): void {
    const lines = this.#lines.splice(0)
    const text = lines.length === 0 ? ['  nothing'] : lines.sort().map((line) => `  ${line}`)
    process.stdout.write(`\nWritten by the tests (afresh):\n${text.join('\n')}\n`)
  }
}

/** `orders +2 ~1`; only `orders` if the rows were not counted. */
export function describeWrites({ table, ...rows }: TableWrites): string {
  const signs = { inserted: '+', updated: '~', deleted: '-' } as const
  const counts = (['inserted', 'updated', 'deleted'] as const).flatMap((key) =>
    rows[key] === undefined || rows[key] === 0 ? [] : [`${signs[key]}${rows[key]}`],
  )
  return [table, ...counts].join(' ')
}
