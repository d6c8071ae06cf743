import { bestByHand, type MethodInfo, medianOf, type Results, type Where } from './results.ts'

const TABLES = 100
const DIRTY = 3

/** The table in docs/performance.md: the ratio of each method to afresh, on each server. Markdown. */
export function ratioTable(results: Results): string {
  return [tableOf(results), ...remarks(results)].join('\n\n')
}

function tableOf(results: Results): string {
  const { servers } = results
  const lines = [
    row(['', ...servers.map(({ id }) => serverName(id)), 'does not restore']),
    row(['---', ...servers.map(() => '--:'), '---']),
    ...rowsOf(results).map(row),
  ]
  return lines.join('\n')
}

function rowsOf(results: Results): string[][] {
  const { servers } = results
  const peers = results.methods
    .filter(({ kind }) => kind === 'peer' || kind === 'rollback')
    .map((method) => ({
      method,
      ratios: servers.map(({ id }) => ratio(results, id, medianOf(results, cellOf(id), method.id))),
    }))
    .filter(({ ratios }) => ratios.some((value) => value !== undefined))
    .toSorted((a, b) => firstOf(a.ratios) - firstOf(b.ratios))
  return [
    ['**afresh**', ...servers.map(({ id }) => milliseconds(medianOf(results, cellOf(id), 'afresh'))), ''],
    ['hand-written SQL, dirty tables known', ...servers.map(({ id }) => times(handRatio(results, id))), ''],
    ...peers.map(({ method, ratios }) => [labelOf(method), ...ratios.map(times), leavesOf(results, method)]),
  ]
}

const cellOf = (server: string): Where => ({ server, tables: TABLES, dirty: DIRTY, baseline: 'empty' })

function handRatio(results: Results, server: string): number | undefined {
  return ratio(results, server, bestByHand(results, cellOf(server))?.median)
}

function ratio(results: Results, server: string, median: number | undefined): number | undefined {
  const afresh = medianOf(results, cellOf(server), 'afresh')
  return median === undefined || afresh === undefined ? undefined : median / afresh
}

function firstOf(ratios: readonly (number | undefined)[]): number {
  return ratios.find((value) => value !== undefined) ?? 0
}

function labelOf({ label, kind, source }: MethodInfo): string {
  if (kind === 'rollback') return `${label} (a bare rollback)`
  return source.startsWith('statement') ? `${label} (its statements)` : label
}

/** From all servers, including the cells with reference rows. */
function leavesOf({ cells }: Results, { id }: MethodInfo): string {
  const left = cells.flatMap((cell) => (cell.method === id && cell.outcome === 'measured' ? cell.leaves : []))
  return [...new Set(left)].join(', ')
}

function remarks(results: Results): string[] {
  const { machine, date, settings } = results
  const clean = perServer(results, (server) => ofFloor(results, server))
  const wide = perServer(results, (server) => growth(results, server))
  return [
    ...(clean === ''
      ? []
      : [`Where a test wrote nothing, afresh takes this many times as long as \`SELECT 1\`: ${clean}.`]),
    ...(wide === '' ? [] : [`With 1,000 tables instead of 30, it takes this many times as long: ${wide}.`]),
    `Medians of up to ${settings.rounds} interleaved rounds, ${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}.`,
  ]
}

function perServer(results: Results, value: (server: string) => string | undefined): string {
  const parts = results.servers.flatMap(({ id }) => {
    const text = value(id)
    return text === undefined ? [] : [`${text} (${serverName(id)})`]
  })
  return parts.join(', ')
}

function ofFloor(results: Results, server: string): string | undefined {
  const where = { ...cellOf(server), dirty: 0 }
  const [afresh, floor] = [medianOf(results, where, 'afresh'), medianOf(results, where, 'floor')]
  return afresh === undefined || floor === undefined ? undefined : short(afresh / floor)
}

function growth(results: Results, server: string): string | undefined {
  const [few, many] = [30, 1000].map((tables) => medianOf(results, { ...cellOf(server), tables }, 'afresh'))
  return few === undefined || many === undefined ? undefined : times(many / few)
}

function times(value: number | undefined): string {
  return value === undefined ? '–' : `${short(value)}×`
}

/** Two significant digits. */
function short(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: 2 })
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : `**1** (${short(value)} ms)`
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** The usual spelling of `postgres:18`. */
function serverName(id: string): string {
  const [name = '', version = ''] = id.split(':')
  const names: Record<string, string> = {
    postgres: 'PostgreSQL',
    embedded: 'embedded',
    mysql: 'MySQL',
    mariadb: 'MariaDB',
  }
  return `${names[name] ?? name} ${version}`
}
