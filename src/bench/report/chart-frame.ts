import type { EChartsOption } from 'echarts'
import { shortRows } from './format.ts'
import type { Scale } from './scale.ts'
import type { Theme } from './series-style.ts'

export interface Canvas {
  readonly theme: Theme
  readonly width: number
  readonly height: number
  /** For a standalone picture: with title and legend, and static. */
  readonly still?: { readonly subtitle: string }
}

/** Options that all charts share. */
export function chartFrame(title: string, { theme, still }: Canvas): EChartsOption {
  return {
    animation: false,
    backgroundColor: theme.background,
    textStyle: {
      fontFamily: 'system-ui, sans-serif',
    },
    title: {
      show: still !== undefined,
      text: title,
      subtext: still?.subtitle ?? '',
      left: 16,
      top: 10,
      itemGap: 5,
      textStyle: { color: theme.text, fontSize: 15, fontWeight: 600 },
      subtextStyle: { color: theme.muted, fontSize: 12 },
    },
  }
}

export function rowsAxis(
  scale: Scale,
  { theme, width }: Pick<Canvas, 'theme' | 'width'>,
): NonNullable<EChartsOption['xAxis']> {
  // As many labels as fit.
  const step = Math.ceil(scale.ticks.length / Math.max(3, Math.floor(width / 52)))
  return {
    type: 'value',
    min: scale.min,
    max: scale.max,
    name: 'rows',
    nameLocation: 'middle',
    nameGap: 26,
    nameTextStyle: { color: theme.muted },
    axisLabel: {
      color: theme.muted,
      customValues: scale.ticks.filter((_, index) => index % step === 0),
      formatter: (coordinate: number) => shortRows(scale.valueAt(coordinate)),
    },
    axisTick: { customValues: [...scale.ticks], lineStyle: { color: theme.muted } },
    axisLine: { onZero: false, lineStyle: { color: theme.muted } },
    splitLine: { show: false },
  }
}

/** The tooltips of all charts. A still picture has none. */
export function tooltipFrame({ theme, still }: Canvas) {
  return {
    show: still === undefined,
    confine: true,
    backgroundColor: theme.tooltip,
    borderColor: theme.rule,
    textStyle: { color: theme.text, fontSize: 12 },
  }
}
