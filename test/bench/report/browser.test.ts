import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { csvOf } from '../../../src/bench/report/csv.ts'
import { caseName, methodLabel } from '../../../src/bench/report/figure.ts'
import { bytesText, spanText, timeText, whole } from '../../../src/bench/report/format.ts'
import { type ReportFiles, writeReport } from '../../../src/bench/report/index.ts'
import { type Cell, findCell } from '../../../src/bench/results.ts'
import { describeInChromium } from './chromium.ts'
import { ownSchemaResults, sampleResults } from './sample.ts'

const results = sampleResults()
const own = ownSchemaResults(60)

describeInChromium('the report in a browser', (browser) => {
  let folder: string
  let report: ReportFiles
  let ownReport: ReportFiles
  let main: Page
  let trouble: string[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'afresh-report-'))
    report = await writeReport(results, join(folder, 'all'))
    ownReport = await writeReport(own, join(folder, 'own'))
    const opened = await open(report.html)
    main = opened.page
    trouble = opened.trouble
  })
  afterEach(() => expect(trouble).toEqual([]))
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function open(
    file: string,
    options: Parameters<ReturnType<typeof browser>['newPage']>[0] = {},
  ): Promise<{ page: Page; trouble: string[] }> {
    const page = await browser().newPage({ viewport: { width: 1200, height: 900 }, ...options })
    const trouble: string[] = []
    page.on('pageerror', (error) => trouble.push(error.message))
    page.on('console', (message) => trouble.push(message.text()))
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && request.url() !== pathToFileURL(file).href)
        trouble.push(request.url())
    })
    await page.goto(pathToFileURL(file).href)
    return { page, trouble }
  }

  it('draws every chart, without errors and without network requests', async () => {
    expect(await main.locator('h1').textContent()).toBe('DELETE against TRUNCATE')
    const charts = main.locator('.chart')
    // One of all servers; per server the comparison, all methods, the cases, 11 factors, and 5 or (without a
    // journal) 4 other costs.
    expect(await charts.count()).toBe(1 + 2 * 14 + 5 + 4)
    const bare = `[...document.querySelectorAll('.chart')].filter((chart) =>
      chart.querySelectorAll('svg path').length < 6 || !chart.getAttribute('aria-label')).length`
    await expect.poll(() => main.evaluate(bare), { timeout: 60_000 }).toBe(0)
  })

  it('shows the figures of the results in tables', async () => {
    const shown = await main.evaluate<string[][]>(
      `[...document.querySelectorAll('section[data-server] details details table')]
        .filter((table) => table.querySelector('thead th').textContent === 'Rows')
        .flatMap((table) => [...table.querySelectorAll('tbody tr')].map((row) =>
          [table.caption.textContent, ...[...row.children].map((cell) => cell.textContent)]))`,
    )
    const expected = results.servers.flatMap(({ id, title }) =>
      results.cells
        .filter(({ server }) => server === id)
        .map((cell) => {
          const label = results.cases.find((benchCase) => benchCase.id === cell.case)?.label ?? ''
          const name = caseName(results, cell.case)
          const caption = `${cell.case === 'base' ? `${name}: ${label}` : name}, on ${title}`
          return [caption, whole(cell.rows), methodLabel(results, cell.method), ...columnsOf(cell)]
        }),
    )
    const lines = (rows: readonly string[][]) => rows.map((row) => row.join('|')).toSorted()
    expect(lines(shown)).toEqual(lines(expected))
  })

  it('shows the figures of the results in tooltips', async () => {
    const chart = main.locator('#server-0 [data-figures=rivals] .chart')
    await chart.scrollIntoViewIfNeeded()
    const seen = new Set<number>()
    for (let x = 90; x < 950; x += 100) {
      await chart.hover({ position: { x, y: 150 } })
      const tip = (await chart.locator('strong, .tip td').allTextContents())
        .map((text) => text.trim())
        .join('|')
      const rows = Number(/^([\d,]+) row/.exec(tip)?.[1]?.replaceAll(',', ''))
      seen.add(rows)
      for (const method of ['delete', 'truncate']) {
        const cell = findCell(results, { server: 'postgres:18', case: 'base', rows, method })
        if (cell === undefined || !('median' in cell)) throw new Error(`no ${method} of ${rows} rows`)
        expect(tip).toContain(`${methodLabel(results, method)}|${timeText(cell.median)}|`)
        if (cell.outcome === 'measured') {
          const spread = `${spanText(cell.q1, cell.q3, timeText)}, n ${cell.n}`
          expect(tip).toContain(`|${spread}|journal ${bytesText(cell.journalBytes ?? 0)}`)
        }
      }
    }
    expect(seen.size).toBeGreaterThan(6)
  })

  it('shows another case on selection, and hides a line, by keyboard', async () => {
    const section = main.locator('#server-1')
    const chart = section.locator('[data-figures=rivals] .chart')
    await section.locator('select').selectOption({ label: '100 tables, each with these rows' })
    expect(await section.locator('.verdict').textContent()).toMatch(/^TRUNCATE from/)
    expect(await chart.getAttribute('aria-label')).toContain('100 tables, each with these rows')
    const button = section.locator('[data-figures=rivals] .legend button').first()
    const before = await chart.locator('svg path').count()
    await button.focus()
    await main.keyboard.press('Enter')
    expect(await button.getAttribute('aria-pressed')).toBe('false')
    expect(await chart.locator('svg path').count()).toBeLessThan(before)
  })

  it('has headings in order, and a name for every control and table', async () => {
    const levels = await main.evaluate<number[]>(
      `[...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]))`,
    )
    expect(levels[0]).toBe(1)
    for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThan(2)
    const nameless = await main.evaluate<number>(
      `[...document.querySelectorAll('button, select, table, [role=region]')].filter((one) =>
        !(one.caption ?? one.labels?.[0] ?? one).textContent.trim()).length`,
    )
    expect(nameless).toBe(0)
    expect(await main.locator('main').count()).toBe(1)
  })

  it('downloads the CSV', async () => {
    const { page } = await open(ownReport.html)
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#csv').click()])
    expect(download.suggestedFilename()).toBe('results.csv')
    const given = await readFile(await download.path(), 'utf8')
    expect(given).toBe(csvOf(own))
    expect(given).toBe(await readFile(ownReport.csv, 'utf8'))
    await page.close()
  })

  it('shows hostile names as plain text', async () => {
    const { page, trouble } = await open(ownReport.html)
    const crossings = page.locator('[data-figures=crossings] .chart')
    await expect.poll(() => crossings.getAttribute('aria-label')).toBeTruthy()
    const described = await crossings.getAttribute('aria-label')
    const named = await page.locator('th.name').allTextContents()
    for (const [index, { id }] of own.cases.slice(0, 8).entries()) {
      await page.locator('select').selectOption({ index })
      const chart = page.locator('[data-figures=rivals] .chart')
      expect(await chart.getAttribute('aria-label')).toContain(caseName(own, id))
      await chart.hover()
      expect(described).toContain(caseName(own, id))
      expect(named).toContain(caseName(own, id))
    }
    for (let y = 30; y < 200; y += 26) await crossings.hover({ position: { x: 700, y } })
    expect(await page.title()).toMatch(/^DELETE against TRUNCATE: /)
    expect(await page.locator('img').count()).toBe(0)
    expect(trouble).toEqual([])
    await page.close()
  })

  it('fits a phone screen', async () => {
    for (const { html } of [report, ownReport]) {
      const { page, trouble } = await open(html, { viewport: { width: 320, height: 740 } })
      await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
      await page.setViewportSize({ width: 360, height: 740 })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
      expect(trouble).toEqual([])
      await page.close()
    }
  })

  it('is dark by the colour scheme of the system, and by its button', async () => {
    const { page, trouble } = await open(report.html, { colorScheme: 'dark' })
    await expect.poll(() => page.locator('.chart svg').count()).toBeGreaterThan(0)
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const paper = () =>
      page.locator('[data-figures=rivals] .chart svg').first().locator('rect').first().getAttribute('fill')
    const button = page.locator('#theme')
    const dark = [await background(), await paper()]
    expect(await button.getAttribute('aria-pressed')).toBe('true')
    await button.click()
    const light = [await background(), await paper()]
    expect(await button.getAttribute('aria-pressed')).toBe('false')
    expect(light[0]).not.toBe(dark[0])
    expect(light[1]).not.toBe(dark[1])
    await button.click()
    expect([await background(), await paper()]).toEqual(dark)
    expect(trouble).toEqual([])
    await page.close()
  })

  it('has complete pictures', async () => {
    const page = await browser().newPage()
    for (const file of [...report.svgs, ...ownReport.svgs]) {
      await page.goto(pathToFileURL(file).href)
      const root = `document.documentElement.tagName + document.querySelectorAll('parsererror').length`
      expect(await page.evaluate(root)).toBe('svg0')
    }
    await page.close()
  })
})

function columnsOf(cell: Cell): string[] {
  if ('reason' in cell) return [`${cell.outcome}: ${cell.reason}`]
  if (cell.outcome === 'extrapolated') return [timeText(cell.median), `extrapolated: ${cell.basis}`]
  const known = (value: number | null, text: (value: number) => string) =>
    value === null ? '–' : text(value)
  return [
    timeText(cell.median),
    spanText(cell.q1, cell.q3, timeText),
    whole(cell.n),
    known(cell.journalBytes, bytesText),
    known(cell.leftBytes, bytesText),
    known(cell.freedBytes, bytesText),
    known(cell.readerWaitMs, timeText),
    known(cell.nextInsertMs, timeText),
  ]
}
