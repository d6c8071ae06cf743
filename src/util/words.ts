/** `1 table`, `12,000 tables` */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : /(x|ch)$/.test(noun) ? 'es' : 's'}`
}

/** `1.8 ms`, `24 ms`, `1.2 s` */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
