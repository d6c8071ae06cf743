/**
 * In: the results of a benchmark.
 * Out: a page, pictures and tables.
 * Called by `bench.ts` and `user-schema/`.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keepMemorySmall } from '../memory.ts'
import type { BenchResults } from '../results.ts'
import { clientBundle } from './client-bundle.ts'
import { csvOf, samplesCsvOf } from './csv.ts'
import { htmlOf } from './html.ts'

/** The files that were written. */
export interface ReportFiles {
  readonly html: string
  readonly svgs: string[]
  readonly csv: string
  readonly samples?: string
}

/** Writes an HTML page, SVG pictures for pages without scripts, and a CSV file of all figures. */
export async function writeReport(
  results: BenchResults,
  folder: string,
  { withSamples = false }: { readonly withSamples?: boolean | undefined } = {},
): Promise<ReportFiles> {
  keepMemorySmall()
  // Loaded on demand, because ECharts is large.
  const { pictureOfServers, picturesOf } = await import('./svg.ts')
  await mkdir(folder, { recursive: true })
  const write = async (name: string, text: string) => {
    const file = join(folder, name)
    await writeFile(file, text)
    return file
  }
  const svgs: string[] = []
  const all = pictureOfServers(results)
  if (all !== undefined) svgs.push(await write('chart.svg', all))
  for (const { id } of results.servers) {
    for (const [end, svg] of picturesOf(results, id)) {
      svgs.push(await write(`chart-${id.replaceAll(/[^\w.-]+/g, '-')}${end}.svg`, svg))
    }
  }
  keepMemorySmall()
  return {
    html: await write('report.html', htmlOf(results, await clientBundle())),
    svgs,
    csv: await write('results.csv', csvOf(results)),
    ...(withSamples ? { samples: await write('samples.csv', samplesCsvOf(results)) } : {}),
  }
}
