import { ResetError } from '../../errors.ts'
import { compareDefinitions, type Difference, differenceText } from '../../schema/difference.ts'
import { differing } from '../../schema/parts.ts'
import { type Schema, withoutDefault } from '../../schema/schema.ts'
import { sleep } from '../../util/clock.ts'
import type { Connection } from '../connection.ts'
import { introspect } from './introspect.ts'

const SETTLE_MS = 100
const LOOKS = 20

/** @throws ResetError `plan`, naming the tables, if the catalog differs from the schema of the plan */
export async function assertSchema(connection: Connection, planned: Schema): Promise<void> {
  let changes = changesOf(planned, await introspect(connection))
  // While another session truncates a table, MariaDB shows parts of it only: a real change persists.
  for (let left = LOOKS; changes.length > 0; left--) {
    await sleep(SETTLE_MS)
    const again = changesOf(planned, await introspect(connection))
    if (left === 0 || String(again) === String(changes)) throw changedSchema(changes)
    changes = again
  }
}

function changesOf(planned: Schema, found: Schema): string[] {
  return [
    ...compareDefinitions(tablesOf(planned), tablesOf(found)),
    ...compareDefinitions(sequencesOf(planned), sequencesOf(found)),
    ...compareDefinitions(keysOf(planned), keysOf(found)),
    ...partChanges(planned, found),
  ].map(differenceText)
}

/** The definitions that a plan depends on. Triggers, defaults and storage costs are compared elsewhere. */
function tablesOf({ tables }: Schema): Map<string, string> {
  return new Map(
    tables.map(({ label, columns, primaryKey, traits, partitions }) => [
      label,
      JSON.stringify([columns.map(withoutDefault), primaryKey, traits, partitions]),
    ]),
  )
}

function sequencesOf({ sequences }: Schema): Map<string, string> {
  return new Map(
    sequences.map(({ label, id, kind, definition }) => [
      kind === 'sequence' ? `the sequence "${label}"` : label,
      `${id} ${definition}`,
    ]),
  )
}

function keysOf({ foreignKeys }: Schema): Map<string, string> {
  return new Map(foreignKeys.map((key) => [`the foreign key ${key.name}`, JSON.stringify(key)]))
}

function partChanges(planned: Schema, found: Schema): Difference[] {
  const now = new Map(found.tables.map(({ id, parts }) => [id, parts]))
  return [
    ...planned.tables.flatMap(({ id, label, parts }) =>
      now.has(id)
        ? differing(parts, now.get(id)).map((part) => ({ ...part, subject: `of ${label} ${part.subject}` }))
        : [],
    ),
    ...differing(planned.parts, found.parts),
  ]
}

/** Throws `ResetError` (`plan`) if there are tables that the plan does not know. */
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
