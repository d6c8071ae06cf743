import type { Schema } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import { literal } from './quote.ts'

/** Statements that resets run as well: each worker records its own in the routine's tables. */
const ALTERING = ['Com_alter_sequence', 'Com_alter_table']
/** Other statements that change a definition. The server counts each before it runs, however it is sent. */
const DEFINING = [
  ...['Com_alter_db', 'Com_alter_event', 'Com_alter_function', 'Com_alter_procedure', 'Com_create_event'],
  ...['Com_create_function', 'Com_create_index', 'Com_create_package', 'Com_create_package_body'],
  ...[
    'Com_create_procedure',
    'Com_create_sequence',
    'Com_create_table',
    'Com_create_trigger',
    'Com_create_view',
  ],
  ...['Com_drop_event', 'Com_drop_function', 'Com_drop_index', 'Com_drop_package', 'Com_drop_package_body'],
  ...['Com_drop_procedure', 'Com_drop_sequence', 'Com_drop_table', 'Com_drop_trigger', 'Com_drop_view'],
  ...['Com_import', 'Com_rename_table'],
  // Statements that change privileges, which afresh restores along with definitions.
  ...['Com_grant', 'Com_revoke', 'Com_revoke_all', 'Com_drop_role', 'Com_drop_user', 'Com_rename_user'],
]

/** The names of all these counts. */
export const DEFINITION_COUNT_NAMES: readonly string[] = [...ALTERING, ...DEFINING]

const WANTED = `STATUS WHERE variable_name IN (${DEFINITION_COUNT_NAMES.map(literal).join(', ')})`

/**
 * Selects these counts: https://dev.mysql.com/doc/refman/9.0/en/server-status-variables.html#statvar_Com_xxx.
 * MySQL has no table of them.
 */
export const DEFINITION_COUNTS = `SHOW GLOBAL ${WANTED}`
/** The counts of this session only. */
export const OWN_COUNTS = `SHOW SESSION ${WANTED}`

export interface DefinitionCounts {
  readonly altered: number
  readonly defined: number
}

export function countsFrom(rows: readonly Row[]): DefinitionCounts {
  let [altered, defined] = [0, 0]
  for (const { Variable_name: name, Value: value } of rows) {
    if (ALTERING.includes(String(name))) altered += Number(value)
    else if (DEFINING.includes(String(name))) defined += Number(value)
  }
  return { altered, defined }
}

/** The counts at the time a schema was read, by `Schema.parts`, which all copies of a schema share. */
const atReading = new WeakMap<object, { readonly all: DefinitionCounts; readonly own: DefinitionCounts }>()

export function noteReading(schema: Schema, all: readonly Row[], own: readonly Row[]): void {
  if (schema.parts !== undefined) atReading.set(schema.parts, { all: countsFrom(all), own: countsFrom(own) })
}

export function readingOf({ parts }: Schema) {
  return parts === undefined ? undefined : atReading.get(parts)
}
