import type { Client } from '../client.ts'
import { roundTo } from '../options.ts'
import { countSql } from './dialect.ts'

export async function runAll(client: Client, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await client.run(sql)
}

export function count(client: Client, table: string): Promise<number> {
  return numberOf(client, countSql(table))
}

/** The last column of the first row, whatever its name. */
export async function numberOf(client: Client, sql: string): Promise<number> {
  const [row] = await client.run(sql)
  const value = Number(Object.values(row ?? {}).at(-1))
  if (Number.isNaN(value)) throw new Error(`no number came from: ${sql}`)
  return value
}

/** The refusal of the server, as code and message; `undefined` if the statement succeeds. */
export async function refusal(client: Client, sql: string): Promise<string | undefined> {
  try {
    await client.run(sql)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined || !(error instanceof Error)) throw error
    // The second half of MySQL's message for a syntax error only refers to the manual.
    const message = error.message.split(/[;\n]/, 1)[0] ?? ''
    return `${code}: ${message.replace(/ \(.*/, '')}`
  }
}

/** The code by which the manual lists the error; `undefined` for a network error. */
function codeOf(error: unknown): string | undefined {
  const { code, errno, sqlState } = error as { code?: unknown; errno?: unknown; sqlState?: unknown }
  if (sqlState !== undefined) return String(errno)
  return typeof code === 'string' && /^([0-9A-Z]{5}|SQLITE_\w+)$/.test(code) ? code : undefined
}

/** `0.42 ms`, `312 ms` */
export function ms(time: number): string {
  return `${time < 10 ? roundTo(time, 2) : Math.round(time)} ms`
}

export function bytes(size: number): string {
  if (size < 10_000) return `${size} bytes`
  return size < 1_000_000 ? `${Math.round(size / 1000)} kB` : `${roundTo(size / 1_000_000, 1)} MB`
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
