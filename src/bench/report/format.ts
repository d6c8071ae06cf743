/** Numbers and names for display. */

/** `1,000,000` */
export function whole(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}

/** `1,200` for 1234: an interpolation is no more precise. */
export function about(number: number): string {
  return whole(Number(number.toPrecision(2)))
}

/** `1 row`, `1,200 rows` */
export function rowsText(rows: number): string {
  return `${whole(rows)} ${rows === 1 ? 'row' : 'rows'}`
}

/** `10k`, `10M`, for axes */
export function shortRows(rows: number): string {
  if (rows >= 1e9) return `${digits(rows / 1e9)}G`
  if (rows >= 1e6) return `${digits(rows / 1e6)}M`
  return rows >= 1e4 ? `${digits(rows / 1e3)}k` : whole(rows)
}

const TIMES = [
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
  [1, 'ms'],
  [0.001, 'µs'],
] as const

/** `420 µs` for 0.42; `1.83 ms`, `24.1 ms`, `1.24 s`, `12.5 min` */
export function timeText(ms: number): string {
  return withUnit(ms, TIMES, '0 ms')
}

/** For the ticks of an axis: `10 µs`, `1 ms`, `100 s` */
export function shortTime(ms: number): string {
  return withUnit(ms, TIMES.slice(2), '0')
}

const SIZES = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
  [1, 'B'],
] as const

/** `0 B`, `8.19 kB`, `1.2 GB` */
export function bytesText(bytes: number): string {
  return withUnit(bytes, SIZES, '0 B')
}

/** `75.1–82 kB`; `980 B – 1.2 kB` if the units differ. */
export function spanText(low: number, high: number, text: (value: number) => string): string {
  const [from, to] = [text(low), text(high)]
  if (from === to) return to
  const [, number, unit] = /^(\S+) (\S+)$/.exec(from) ?? []
  return unit !== undefined && to.endsWith(` ${unit}`) ? `${number}–${to}` : `${from} – ${to}`
}

function withUnit(value: number, units: readonly (readonly [number, string])[], zero: string): string {
  if (value === 0) return zero
  const [size, unit] = units.find(([least]) => Math.abs(value) >= least * 0.9995) ?? units.at(-1) ?? [1, '']
  return `${digits(value / size)} ${unit}`
}

/** Three significant digits. */
function digits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 6 })
}

/** `a, b and c` */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

/** Escapes characters that break lines, change the writing direction, or are invalid in XML. */
export function visible(name: string): string {
  return name.replaceAll(UNSEEN, (character) => {
    const code = character.charCodeAt(0).toString(16)
    return `\\u${code.padStart(4, '0')}`
  })
}

const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** For HTML text and quoted attribute values. */
export function escapeHtml(text: string): string {
  return visible(text).replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}
