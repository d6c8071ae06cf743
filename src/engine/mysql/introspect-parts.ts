import { AfreshError } from '../../errors.ts'
import type { Part, Schema } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import type { Flavor } from './flavor.ts'
import { ident } from './quote.ts'

const labelled = (kind: string, name: string, texts: string) =>
  `CONCAT('the ${kind} "', ${name}, '"') AS label, CONCAT_WS(' ', ${texts}) AS text`

/** Select lists over these views. `text` changes with each part of a definition that the plan ignores. */
export const PART_OF = {
  column: labelled(
    'column',
    'column_name',
    `column_type, collation_name, is_nullable, COALESCE(QUOTE(column_default), 'none'), extra, generation_expression, column_comment`,
  ),
  partition: labelled(
    'partition',
    'COALESCE(subpartition_name, partition_name)',
    'partition_method, partition_expression, partition_description, subpartition_name, subpartition_method, subpartition_expression, partition_comment',
  ),
  table: `'the storage' AS label, CONCAT_WS(' ', engine, row_format, table_collation, create_options, table_comment) AS text`,
  trigger: labelled(
    'trigger',
    'trigger_name',
    'action_timing, event_manipulation, action_order, definer, sql_mode, collation_connection, action_statement',
  ),
} as const

/** One row per index, with its columns in order. */
export function indexQuery({ name }: Pick<Flavor, 'name'>): string {
  const column = name === 'mariadb' ? 'column_name' : 'COALESCE(column_name, expression)'
  const texts = `non_unique, index_type, MAX(${name === 'mariadb' ? 'ignored' : 'is_visible'}),
    GROUP_CONCAT(CONCAT_WS(' ', ${column}, sub_part, collation) ORDER BY seq_in_index), MAX(index_comment), MAX(comment)`
  return `SELECT table_name AS \`table\`, index_name AS name, ${labelled('index', 'index_name', texts)}
    FROM information_schema.statistics WHERE table_schema = DATABASE()
    GROUP BY table_name, index_name, non_unique, index_type ORDER BY table_name, index_name`
}

/** Definitions that no other query returns; `table` is NULL for objects that belong to no table. */
export function otherParts({ name }: Pick<Flavor, 'name'>): string[] {
  const isMariaDb = name === 'mariadb'
  return [
    `SELECT c.table_name AS \`table\`, ${labelled(
      'constraint',
      'c.constraint_name',
      isMariaDb ? 'k.check_clause' : 'k.check_clause, c.enforced',
    )}
     FROM information_schema.table_constraints AS c JOIN information_schema.check_constraints AS k
       ON k.constraint_schema = c.constraint_schema AND k.constraint_name = c.constraint_name
       ${isMariaDb ? 'AND k.table_name = c.table_name' : ''}
     WHERE c.table_schema = DATABASE() AND c.constraint_type = 'CHECK' ORDER BY c.table_name, c.constraint_name`,
    `SELECT NULL AS \`table\`, ${labelled(
      'view',
      'table_name',
      `view_definition, check_option, definer, security_type, collation_connection${isMariaDb ? ', algorithm' : ''}`,
    )}
     FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY table_name`,
    `SELECT NULL AS \`table\`, ${labelled(
      "', LOWER(r.routine_type), '",
      'r.routine_name',
      `r.dtd_identifier, (SELECT GROUP_CONCAT(CONCAT_WS(' ', p.parameter_mode, p.parameter_name, p.dtd_identifier)
         ORDER BY p.ordinal_position) FROM information_schema.parameters AS p WHERE p.specific_schema = DATABASE()
         AND p.specific_name = r.specific_name AND p.routine_type = r.routine_type),
       r.is_deterministic, r.sql_data_access, r.security_type, r.sql_mode, r.definer, r.collation_connection,
       QUOTE(r.routine_comment), r.routine_definition`,
    )}
     FROM information_schema.routines AS r WHERE r.routine_schema = DATABASE() ORDER BY r.routine_type, r.routine_name`,
    `SELECT NULL AS \`table\`, ${labelled(
      'event',
      'event_name',
      `event_type, execute_at, interval_value, interval_field, starts, ends, time_zone, status, on_completion, definer, sql_mode,
       collation_connection, QUOTE(event_comment), event_definition`,
    )}
     FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY event_name`,
    `SELECT NULL AS \`table\`, 'the database' AS label,
       CONCAT_WS(' ', default_character_set_name, default_collation_name, ${isMariaDb ? 'schema_comment' : READ_ONLY}) AS text
     FROM information_schema.schemata WHERE schema_name = DATABASE()`,
    ...(isMariaDb ? PERIODS : []),
  ]
}

/** Since MySQL 8.0.22. */
const READ_ONLY = `'' /*!80022 , (SELECT o.options FROM information_schema.schemata_extensions AS o WHERE o.schema_name = DATABASE()) */`

/** Since MariaDB 11.4.1; earlier versions report a period only as a CHECK, which is among the constraints. */
const PERIODS = [
  `SELECT NULL AS \`table\`, NULL AS label, NULL AS text FROM DUAL WHERE FALSE /*M!110401
   UNION ALL SELECT table_name, ${labelled('period', 'period', 'start_column_name, end_column_name')}
   FROM information_schema.periods WHERE table_schema = DATABASE()
   UNION ALL SELECT table_name, ${labelled('period of the key', 'constraint_name', 'period_name')}
   FROM information_schema.key_period_usage WHERE table_schema = DATABASE() */ ORDER BY 1, 2`,
]

/** Omits the name of the database, so that a template and its clones have the same parts. */
export function partFrom({ label, text }: Row, database: string): Part {
  const plain = String(text).replaceAll(`${ident(database)}.`, '')
  // MySQL stores the semicolon of a program that was created in a message of several statements.
  const isProgram = /^the (trigger|function|procedure|package|package body|event) "/.test(String(label))
  return { label: String(label), text: isProgram ? plain.replace(/[;\s]+$/, '') : plain }
}

/**
 * Throws `AfreshError` (`plan`) for MERGE tables: a copy would have every row twice, and emptying one empties
 * its underlying tables, in any database.
 */
export function refuseMerged({ tables }: Schema): void {
  const merged = tables.filter(({ parts }) => parts?.some(({ text }) => /^MRG_MyISAM\b/i.test(text)))
  if (merged.length === 0) return
  const names = merged.map(({ label }) => `"${label}"`).join(', ')
  throw new AfreshError('plan', `These are MERGE tables, whose rows are in other tables: ${names}.`, {
    next: 'Make them views (SELECT … UNION ALL SELECT …), or leave them out of the database that is tested on.',
  })
}
