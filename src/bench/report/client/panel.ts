import type { EChartsOption } from 'echarts'
import { chartOf, groupsOf } from '../chart.ts'
import { init } from '../echarts.ts'
import type { Figure } from '../figure.ts'
import { pathOf, type SeriesStyle, type Theme } from '../series-style.ts'

/** A chart with its caption and legend. Adapts to its width and to the theme. */
export interface Panel {
  readonly element: HTMLElement
  draw(theme: Theme): void
  close(): void
}

/** @param heightFor returns the height of the chart for a width */
export function figurePanel(figure: Figure, caption: string, heightFor: (width: number) => number): Panel {
  const hidden = new Set<string>()
  const legend = document.createElement('ul')
  legend.className = 'legend'
  const panel = chartPanel(caption, (theme, width) => {
    const height = heightFor(width)
    const option = chartOf(figure, { theme, width, height })
    const selected = Object.fromEntries(groupsOf(figure).map((group) => [group, !hidden.has(group)]))
    return { height, option: { ...option, legend: { ...option.legend, selected } } }
  })
  panel.element.append(legend)
  const buttons = groupsOf(figure).map((group) => {
    const look = figure.lines.find((line) => line.group === group)?.look
    const button = document.createElement('button')
    button.type = 'button'
    const press = () => button.setAttribute('aria-pressed', String(!hidden.has(group)))
    press()
    button.addEventListener('click', () => {
      if (!hidden.delete(group)) hidden.add(group)
      press()
      panel.redraw()
    })
    const item = document.createElement('li')
    item.append(button)
    legend.append(item)
    return (theme: Theme) =>
      button.replaceChildren(...(look === undefined ? [] : [swatch(look, theme)]), group)
  })
  return {
    ...panel,
    draw(theme) {
      for (const paint of buttons) paint(theme)
      panel.draw(theme)
    },
  }
}

interface Drawing {
  readonly height: number
  readonly option: EChartsOption
}

export function chartPanel(
  caption: string,
  drawingOf: (theme: Theme, width: number) => Drawing,
): Panel & { redraw(): void } {
  const element = document.createElement('figure')
  if (caption !== '')
    element.append(Object.assign(document.createElement('figcaption'), { textContent: caption }))
  const box = document.createElement('div')
  box.className = 'chart'
  box.setAttribute('role', 'img')
  element.append(box)
  const chart = init(box, null, { renderer: 'svg', width: 100, height: 200 })
  let theme: Theme | undefined
  let drawnWidth = 0

  const redraw = () => {
    const width = box.clientWidth
    if (theme === undefined || width === 0) return
    drawnWidth = width
    const { height, option } = drawingOf(theme, width)
    box.style.height = `${height}px`
    chart.resize({ width, height })
    chart.setOption(option, { notMerge: true })
  }
  const observer = new ResizeObserver(() => {
    if (box.clientWidth !== drawnWidth) redraw()
  })
  observer.observe(box)
  return {
    element,
    redraw,
    draw(next) {
      theme = next
      redraw()
    },
    close() {
      observer.disconnect()
      chart.dispose()
      element.remove()
    },
  }
}

const SVG = 'http://www.w3.org/2000/svg'

function swatch(look: SeriesStyle, theme: Theme): SVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  const path = document.createElementNS(SVG, 'path')
  for (const [name, value] of Object.entries({
    width: '12',
    height: '12',
    viewBox: '-6 -6 12 12',
    'aria-hidden': 'true',
  }))
    svg.setAttribute(name, value)
  path.setAttribute('d', pathOf(look))
  path.setAttribute('fill', look.color[theme.id])
  svg.append(path)
  return svg
}
