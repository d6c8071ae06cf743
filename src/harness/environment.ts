import { variablesOf } from '../engine/clients.ts'
import type { VariableMapping } from '../engine/environment.ts'
import type { HarnessHandle } from './handle.ts'
import { rememberLeased } from './leased-names.ts'

/** Variables for a child process: `{ ...process.env, ...database.env }`. */
export function environmentOf(url: string, mapping?: VariableMapping): Readonly<Record<string, string>> {
  const set = Object.entries(variablesOf(url, 'tests', mapping)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return Object.fromEntries(set)
}

/** A leased database with the variables that point to it. */
export function withEnvironment<Database extends { readonly name: string; readonly url: string }>(
  database: Database,
  { tests }: Pick<HarnessHandle, 'tests'>,
): Database & { readonly env: Readonly<Record<string, string>> } {
  rememberLeased(database.name)
  return { ...database, env: environmentOf(database.url, tests.env) }
}
