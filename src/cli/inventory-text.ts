import type { OwnDatabase } from '../database/inventory.ts'
import { aligned, type Output, printable } from './output.ts'

/** `12 s`, `5 min`, `3 h`, `2 d` */
export function age(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** `7.6 MB` */
export function size(bytes: number | undefined): string {
  if (bytes === undefined) return '-'
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}

export function writeDatabases(databases: readonly OwnDatabase[], output: Output): void {
  const rows = databases.map(({ name, kind, bytes, ageMs, lease, reason }) => [
    printable(name),
    kind,
    size(bytes),
    ageMs === undefined ? '' : age(ageMs),
    lease === undefined ? reason : describeLease(lease),
  ])
  for (const line of aligned(rows, '  ')) output.line(line)
}

function describeLease({ process, client, session, ageMs }: NonNullable<OwnDatabase['lease']>): string {
  const since = ageMs === undefined ? '' : ` for ${age(ageMs)}`
  const holder = process === undefined ? '' : ` by process ${process}`
  return `leased${since}${holder} (session ${session}, ${printable(client)})`
}
