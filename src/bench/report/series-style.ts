/** Colors and symbols. No two methods share color and symbol, so that hue alone never distinguishes them. */

export interface Theme {
  readonly id: 'light' | 'dark'
  readonly background: string
  readonly text: string
  readonly muted: string
  readonly rule: string
  readonly tooltip: string
}

export const THEMES: Readonly<Record<Theme['id'], Theme>> = {
  light: {
    id: 'light',
    background: '#ffffff',
    text: '#18212c',
    muted: '#566272',
    rule: '#e4e8ed',
    tooltip: '#ffffff',
  },
  dark: {
    id: 'dark',
    background: '#161c24',
    text: '#e8ecf1',
    muted: '#9fabb9',
    rule: '#2b3440',
    tooltip: '#212a35',
  },
}

export interface SeriesStyle {
  /** A color per background, after Okabe and Ito: distinguishable with red-green color blindness. */
  readonly color: Readonly<Record<Theme['id'], string>>
  readonly symbol: string
  /** Whether it is DELETE or TRUNCATE. */
  readonly isStrong: boolean
}

const CROSS = 'path://M-4,-2L-2,-4L0,-2L2,-4L4,-2L2,0L4,2L2,4L0,2L-2,4L-4,2L-2,0Z'
const PLUS = 'path://M-1.3,-4H1.3V-1.3H4V1.3H1.3V4H-1.3V1.3H-4V-1.3H-1.3Z'
const DOWN = 'path://M-4,-3.5H4L0,4Z'

function style(light: string, dark: string, symbol: string, isStrong = false): SeriesStyle {
  return { color: { light, dark }, symbol, isStrong }
}

const STYLES: Readonly<Record<string, SeriesStyle>> = {
  delete: style('#0069a8', '#5cb8f0', 'circle', true),
  'delete-restart': style('#2f8fc9', '#93d0f5', 'diamond'),
  'delete-rows': style('#3d6f8f', '#7fa9c4', 'triangle'),
  truncate: style('#c04d00', '#ff9d52', 'rect', true),
  'truncate-restart': style('#b07c00', '#f0c14b', 'diamond'),
  'truncate-cascade': style('#8a4b2f', '#d99a7c', 'triangle'),
  'batch-100': style('#a8508a', '#eaa3d0', 'circle'),
  'batch-1000': style('#8d3f8f', '#d38bd6', 'rect'),
  'batch-10000': style('#6f3592', '#b48be0', DOWN),
  'orm-100': style('#4d5663', '#b7c0cc', CROSS),
  'drop-create': style('#007a58', '#3fc79a', 'diamond'),
  swap: style('#4d7c0f', '#a3d154', PLUS),
  clone: style('#7a6a00', '#d6c95a', DOWN),
}

const OTHERS = [
  style('#0069a8', '#5cb8f0', 'circle'),
  style('#007a58', '#3fc79a', 'triangle'),
  style('#a8508a', '#eaa3d0', 'diamond'),
  style('#b07c00', '#f0c14b', DOWN),
  style('#c04d00', '#ff9d52', 'rect'),
  style('#6f3592', '#b48be0', PLUS),
]

export function styleOfMethod(id: string): SeriesStyle {
  return STYLES[id] ?? styleAtIndex(id.length)
}

/** For a series without a style of its own: by its index. */
export function styleAtIndex(index: number): SeriesStyle {
  return OTHERS[index % OTHERS.length] ?? style('#4d5663', '#b7c0cc', CROSS)
}

/** The style of the base case. */
export const BASE_STYLE: SeriesStyle = style('#4d5663', '#c3cbd6', CROSS)

/** The symbol as the `d` of an SVG path, in a 10 by 10 box around the origin, for legends outside charts. */
export function pathOf({ symbol }: SeriesStyle): string {
  const known: Readonly<Record<string, string>> = {
    circle: 'M-4,0A4,4,0,1,1,4,0A4,4,0,1,1,-4,0Z',
    rect: 'M-3.6,-3.6H3.6V3.6H-3.6Z',
    triangle: 'M0,-4L4,3.5H-4Z',
    diamond: 'M0,-4.6L4.6,0L0,4.6L-4.6,0Z',
  }
  return known[symbol] ?? symbol.replace('path://', '')
}
