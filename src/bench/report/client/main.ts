/**
 * In: the results in the page.
 * Out: its charts, in the browser.
 * Called by the page that `html.ts` writes; bundled by `tsdown.config.ts`.
 * All text is readable without it.
 */
import type { BenchResults } from '../../results.ts'
import {
  type Bar,
  barsOfCases,
  barsOfServers,
  crossoverChart,
  crossoverChartHeight,
} from '../crossover-chart.ts'
import { csvOf } from '../csv.ts'
import {
  asideFigures,
  conditionsOf,
  deleteVsTruncateFigure,
  type Figure,
  factorFigures,
  methodsFigure,
} from '../figure.ts'
import { recommendationsOf } from '../recommend.ts'
import { THEMES, type Theme } from '../series-style.ts'
import { chartPanel, figurePanel, type Panel } from './panel.ts'

const results = JSON.parse(document.getElementById('results')?.textContent ?? '') as BenchResults
const large = (width: number) => (width < 520 ? 300 : 420)
const small = () => 260

const shared = serversChart()
const sections = [...document.querySelectorAll<HTMLElement>('section[data-server]')].map(serverSection)
const wanted = matchMedia('(prefers-color-scheme: dark)')
const themeButton = document.querySelector<HTMLButtonElement>('#theme')
let chosen: Theme['id'] | undefined

function themeNow(): Theme {
  return THEMES[chosen ?? (wanted.matches ? 'dark' : 'light')]
}

let turn = 0

/** Draws one chart at a time, so that the page stays responsive. */
async function draw(): Promise<void> {
  const theme = themeNow()
  themeButton?.setAttribute('aria-pressed', String(theme.id === 'dark'))
  turn += 1
  const own = turn
  for (const panel of panelsNow()) {
    if (own !== turn) return
    panel.draw(theme)
    await new Promise((resolve) => setTimeout(resolve))
  }
}

function drawAtOnce(theme: Theme): void {
  turn += 1
  for (const panel of panelsNow()) panel.draw(theme)
}

themeButton?.addEventListener('click', () => {
  chosen = themeNow().id === 'dark' ? 'light' : 'dark'
  document.documentElement.dataset.theme = chosen
  void draw()
})
wanted.addEventListener('change', () => void draw())
// Paper is white.
addEventListener('beforeprint', () => drawAtOnce(THEMES.light))
addEventListener('afterprint', () => drawAtOnce(themeNow()))

document.querySelector('#csv')?.addEventListener('click', () => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([csvOf(results)], { type: 'text/csv;charset=utf-8' }))
  link.download = 'results.csv'
  link.click()
  // The download has started by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
})

for (const element of document.querySelectorAll<HTMLElement>('.tools [hidden], .pick[hidden]'))
  element.hidden = false
void draw()

function panelsNow(): Panel[] {
  return [...shared, ...sections.flatMap((section) => section.panels())]
}

function serversChart(): readonly Panel[] {
  const host = document.querySelector('[data-figures="servers"]')
  if (host === null) return []
  const panel = barsPanel(barsOfServers(results))
  host.replaceChildren(panel.element)
  return [panel]
}

function barsPanel(bars: readonly Bar[]): Panel {
  return chartPanel('', (theme, width) => {
    const height = crossoverChartHeight(bars.length)
    return { height, option: crossoverChart(results, bars, { theme, width, height }) }
  })
}

function serverSection(section: HTMLElement): { panels(): readonly Panel[] } {
  const server = results.servers[Number(section.dataset.server)]?.id ?? ''
  const all = recommendationsOf(results, server)
  const first = all[0]
  if (first === undefined) return { panels: () => [] }

  const fillPanels = (name: string, panelsOf: () => readonly Panel[]) => {
    const host = section.querySelector(`[data-figures="${name}"]`)
    const panels = host === null ? [] : panelsOf()
    host?.replaceChildren(...panels.map(({ element }) => element))
    host?.classList.toggle('multiples', panels.length > 1)
    return panels
  }
  const multiples = (figures: readonly Figure[]) =>
    figures.map((figure) => figurePanel(figure, figure.title, small))

  const chosenCase = (id: string) => [
    ...fillPanels('rivals', () => [figurePanel(deleteVsTruncateFigure(results, server, id), '', large)]),
    ...fillPanels('asides', () => multiples(asideFigures(results, server, id))),
  ]
  const always = [
    ...fillPanels('methods', () => {
      const methods = methodsFigure(results, server, first.case)
      return methods === undefined ? [] : [figurePanel(methods, '', large)]
    }),
    ...fillPanels('factors', () => multiples(factorFigures(results, server))),
    ...fillPanels('crossings', () => [barsPanel(barsOfCases(results, all))]),
  ]
  let current = chosenCase(first.case)

  const select = section.querySelector('select')
  select?.addEventListener('change', () => {
    const chosen = all[select.selectedIndex] ?? first
    for (const panel of current) panel.close()
    current = chosenCase(chosen.case)
    for (const panel of current) panel.draw(themeNow())
    const verdict = section.querySelector('.verdict')
    if (verdict !== null) verdict.textContent = chosen.text
    const conditions = section.querySelector('[data-conditions]')
    if (conditions !== null) conditions.textContent = conditionsOf(results, server, chosen.case)
  })
  return { panels: () => [...current, ...always] }
}
