import type { Claim } from './claim.ts'
import { DIALECTS, type Dialect, type EngineId } from './dialect.ts'
import type { Results, ServerResults } from './results.ts'

/**
 * The page of results: an overview, then each claim with the observations and the statements to reproduce
 * them.
 */
export function markdownOf(results: Results, claims: readonly Claim[]): string {
  const { date, machine, servers } = results
  const parts = [
    '# What people say of DELETE and TRUNCATE, and what the servers say',
    'Written by `npm run bench:claims`; what it saw in figures is in `results.json`. An answer is what this run saw, not what ' +
      'a manual says. Times are medians of interleaved rounds: compare them within a line, never across servers.',
    `${servers.map(titleOf).join(', ')}. ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${date.slice(0, 10)}; ` +
      'durability off, containers with their data in memory, InnoDB without a binary log.',
    'The statements are run as they stand in an empty database, in autocommit but for what BEGIN opens. Some are to be ' +
      'refused: that is the answer.',
    overview(results, claims),
    ...claims.map((claim) => section(claim, servers)),
  ]
  return `${parts.join('\n\n')}\n`
}

function overview({ servers }: Results, claims: readonly Claim[]): string {
  const rows = claims.map((claim) => [
    `[${claim.text}](#${claim.id})`,
    ...servers.map(({ answers }) => answers[claim.id]?.verdict ?? ''),
  ])
  return table([['claim', ...servers.map(({ id }) => id)], ...rows])
}

function section(claim: Claim, servers: readonly ServerResults[]): string {
  const rows = servers.map((server) => {
    const answer = server.answers[claim.id]
    return [server.id, `**${answer?.verdict ?? ''}**`, answer?.evidence ?? '']
  })
  return [
    `## <a id="${claim.id}"></a>${claim.text}`,
    table([['server', 'answer', 'seen'], ...rows]),
    ...scripts(claim, servers),
  ].join('\n\n')
}

/** One block for all engines with the same statements. */
function scripts(claim: Claim, servers: readonly ServerResults[]): string[] {
  const shells = new Map<string, string[]>()
  for (const engine of new Set(servers.map((server) => server.engine))) {
    if (claim.isOfTruncate && lacksTruncate(claim, servers, engine)) continue
    const sql = DIALECTS[engine]
    const script = scriptOf(claim, sql)
    shells.set(script, [...(shells.get(script) ?? []), sql.shell.name])
  }
  return [...shells].map(
    ([script, names]) =>
      `<details><summary>To be pasted into ${names.join(' or ')}</summary>\n\n\`\`\`sql\n${script}\n\`\`\`\n\n</details>`,
  )
}

function lacksTruncate(claim: Claim, servers: readonly ServerResults[], engine: EngineId): boolean {
  return servers.some(
    (server) => server.engine === engine && server.answers[claim.id]?.verdict === 'no TRUNCATE',
  )
}

function scriptOf(claim: Claim, sql: Dialect): string {
  const steps = claim.statements(sql)
  const hasSeveral = steps.some(({ session }) => session > 1)
  const lines = claim.isTimed && sql.shell.timer !== undefined ? [sql.shell.timer] : []
  let current = 0
  for (const { session, sql: statement } of steps) {
    if (hasSeveral && session !== current) lines.push(`-- session ${session}`)
    current = session
    lines.push(statement.startsWith('--') ? statement : `${statement};`)
  }
  return lines.join('\n')
}

function titleOf({ title, version }: ServerResults): string {
  return title.includes(version) ? title : `${title}: ${version}`
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
