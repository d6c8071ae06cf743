/**
 * What a test run omits on request. Anything else that is missing fails the run.
 *
 * - `AFRESH_SKIP=mysql,postgres:15,chromium`: servers by id, all servers of a kind by the part before
 *   the colon, and programs: `chromium`, `pgbouncer`, `python`, `go`, `ruby`, `curl`.
 * - `AFRESH_ENGINES=embedded:18,postgres:18`: only these servers; empty for none.
 */

/** Programs that tests need in addition to servers. */
const PROGRAMS = ['chromium', 'pgbouncer', 'python', 'go', 'ruby', 'curl'] as const

/** The reason why `id` is left out, with the variable; `undefined` if it is required. */
export function leftOut(id: string): string | undefined {
  const only = listIn('AFRESH_ENGINES')
  const isServer = !PROGRAMS.some((program) => program === id)
  if (isServer && only?.includes(id) === false) return 'left out by AFRESH_ENGINES'
  const skipped = listIn('AFRESH_SKIP')?.some((name) => name === id || name === kindOf(id))
  return skipped ? 'left out by AFRESH_SKIP' : undefined
}

/** @throws Error listing unknown names in the variables */
export function checkNames(servers: readonly string[]): void {
  const kinds = servers.map(kindOf)
  check('AFRESH_ENGINES', servers)
  check('AFRESH_SKIP', [...servers, ...kinds, ...PROGRAMS])
}

/** How to provide what is missing. */
export function remedy(id: string): string {
  const how = PROGRAMS.some((program) => program === id)
    ? 'Install it (.ci/run does, on Debian)'
    : id.startsWith('embedded')
      ? 'Install the packages again, with their install scripts'
      : 'Start a container engine that can get its image'
  return `${how}, or leave it out: AFRESH_SKIP=${id}`
}

function check(variable: string, known: readonly string[]): void {
  const unknown = listIn(variable)?.filter((name) => !known.includes(name)) ?? []
  if (unknown.length === 0) return
  throw new Error(
    `${variable} names what no test knows: ${unknown.join(', ')}.\n  Known: ${[...new Set(known)].join(', ')}`,
  )
}

function kindOf(id: string): string {
  return id.split(':')[0] ?? id
}

function listIn(variable: string): string[] | undefined {
  return process.env[variable]?.split(',').flatMap((name) => name.trim() || [])
}
