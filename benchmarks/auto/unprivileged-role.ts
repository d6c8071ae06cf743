/** A role that may not disable constraints, on a server that stops with this program. */
export const UNPRIVILEGED_ROLE = 'afresh_bench_plain'

export function unprivilegedUrl(url: string): string {
  const plain = new URL(url)
  plain.username = UNPRIVILEGED_ROLE
  plain.password = UNPRIVILEGED_ROLE
  return plain.toString()
}
