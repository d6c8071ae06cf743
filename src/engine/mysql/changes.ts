import { ResetError } from '../../errors.ts'
import type { Schema, Table } from '../../schema/schema.ts'
import type { Connection } from '../engine.ts'
import { introspect } from './introspect.ts'

/** Throws `ResetError` (`plan`) naming the tables, where the catalog is not the one that the plan was made for. */
export async function refuseChanges(connection: Connection, planned: Schema): Promise<void> {
  const found = await introspect(connection)
  const changes = [
    ...differences(planned.tables, found.tables, (table) => [table.label, definitionOf(table)]),
    ...differences(planned.sequences, found.sequences, ({ label, id }) => [label, id]),
    ...differences(planned.foreignKeys, found.foreignKeys, (key) => [
      `the foreign key ${key.name}`,
      JSON.stringify(key),
    ]),
  ]
  if (changes.length > 0) throw changedSchema(changes)
}

/** Throws `ResetError` (`plan`) where there are tables that the plan does not know. */
export function refuseUnknown(names: readonly string[]): void {
  if (names.length > 0) throw changedSchema(names.map((name) => `${name} is new`))
}

function changedSchema(changes: readonly string[]): ResetError {
  return new ResetError(
    { step: 'see that the tables are those of the plan', table: undefined, statement: undefined },
    new Error(changes.join(', ')),
    { code: 'plan', next: NEW_SCHEMA },
  )
}

export const NEW_SCHEMA = 'A test changed the schema: lease or attach again to take the new one into account.'

/** What a plan depends on; triggers and the costs of storage are looked after elsewhere. */
function definitionOf({ columns, primaryKey, traits, partitions }: Table): string {
  return JSON.stringify([columns, primaryKey, traits, partitions])
}

function differences<T>(
  planned: readonly T[],
  found: readonly T[],
  describe: (one: T) => readonly [label: string, definition: string],
): string[] {
  const before = new Map(planned.map(describe))
  const now = new Map(found.map(describe))
  return [
    ...[...now.keys()].filter((label) => !before.has(label)).map((label) => `${label} is new`),
    ...[...before.keys()].filter((label) => !now.has(label)).map((label) => `${label} is gone`),
    ...[...now].flatMap(([label, definition]) =>
      before.has(label) && before.get(label) !== definition ? [`${label} is another one`] : [],
    ),
  ]
}
