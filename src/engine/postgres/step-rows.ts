import {
  type Plan,
  type RestartStep,
  type Step,
  type TruncateInstead,
  type TruncateStep,
  tablesOfStep,
} from '../../plan/plan.ts'
import {
  byId,
  type Schema,
  type SequenceId,
  type SubjectId,
  type TableId,
  tableOf,
} from '../../schema/schema.ts'
import { literal } from './quote.ts'
import { statementNear, statementOnLeaf, statementsOf, TRUNCATE_LEAF, truncate } from './statements.ts'
import { DUE, POSITIONS, REFERENCES, STATEMENTS } from './step-tables.ts'
import type { TriggerSuspensions } from './suspend-triggers.ts'
import { asUser, type UserFunctions } from './user-functions.ts'

interface StepContext {
  readonly suspensions: TriggerSuspensions
  readonly functions: UserFunctions
  /** Whether the WAL names every block of a subject that is written. */
  readonly isInJournal: (id: SubjectId) => boolean
  /** Whether partitions with rows are found by a look at each, and never by the WAL. */
  readonly findsLeaves: boolean
}

/** The plan's steps as rows, so that one function call runs only those that are due. */
export function stepRows(schema: Schema, plan: Plan, context: StepContext): string[] {
  const references = plan.references.map(({ from, to }) => `(${to}, ${from})`)
  const statements: string[] = []
  const due: string[] = []
  const positions: string[] = []
  for (const [no, step] of plan.steps.entries()) {
    if (step.kind === 'restart' && statementsOf(schema, plan, step).length === 1) {
      positions.push(`(${step.sequence}, ${no}, ${step.to.value}, ${step.to.called})`)
    } else if (step.when.length > 0) {
      statements.push(...statementRows(schema, plan, context, { no, step }))
      due.push(...dueOf(step, no))
    }
  }
  // One statement for all rows: the server needs far longer to parse and plan one for each.
  return [
    ...insertInto(REFERENCES, references),
    ...(references.length === 0 ? [] : [`ANALYZE ${REFERENCES}`]),
    ...insertInto(POSITIONS, positions),
    ...insertInto(`${STATEMENTS} (${STATEMENT_COLUMNS.join(', ')})`, statements),
    ...insertInto(DUE, due),
  ]
}

/** The sequences whose position one `setval` sets: those of `POSITIONS`. */
export function positionsOf(schema: Schema, plan: Plan): SequenceId[] {
  return plan.steps.flatMap((step) =>
    step.kind === 'restart' && statementsOf(schema, plan, step).length === 1 ? [step.sequence] : [],
  )
}

/** One row for each statement. The first one of the step itself has the statements that may replace it. */
function statementRows(
  schema: Schema,
  plan: Plan,
  { suspensions, functions, isInJournal, findsLeaves }: StepContext,
  { no, step }: { readonly no: number; readonly step: Step },
): string[] {
  const callsUserCode =
    step.kind === 'refresh' ||
    (step.kind === 'insert-missing' && step.tables.some((id) => functions.tables.has(id)))
  const named = callsUserCode ? asUser : (sql: string) => sql
  const suspended = [
    ...touchedBy(step).flatMap((id) => suspensions.of.get(id) ?? []),
    ...referringTo(schema, plan, step).flatMap((id) => suspensions.ofStatements.get(id) ?? []),
  ]
  const isNamed = step.when.every(isInJournal)
  const near = isNamed ? statementNear(schema, plan, step) : undefined
  // Rules and triggers are suspended on the whole table.
  const areLeavesFound = isNamed || (findsLeaves && step.kind === 'delete')
  const isLeafwise = areLeavesFound && !callsUserCode && suspended.length === 0
  const leaf = isLeafwise ? statementOnLeaf(schema, plan, step) : undefined
  const replacements = {
    ...(leaf === undefined ? {} : { leaf: literal(leaf), leaf_of: tablesOfStep(step).join() }),
    ...(near === undefined ? {} : { near: literal(named(near)) }),
    ...(step.kind === 'delete' && step.truncateAlternative
      ? insteadOfDelete(schema, step.truncateAlternative)
      : {}),
    ...(step.kind === 'truncate' ? { deletes: literal(deletesOf(schema, plan, step)) } : {}),
  }
  const before = suspended.flatMap((suspension) => suspension.before)
  const after = suspended.flatMap((suspension) => suspension.after)
  const main = statementsOf(schema, plan, step).map(named)
  return [...before, ...main, ...after].map((sql, index) => {
    const position = index - before.length
    const moves = step.kind === 'refresh' || /^(TRUNCATE|ALTER)/.test(sql)
    const columns = { no, position, sql: literal(sql), inserts: step.kind === 'insert-missing', moves }
    return statementRow({ ...columns, ...(position === 0 ? replacements : {}) })
  })
}

function insertInto(table: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : [`INSERT INTO ${table} VALUES\n${rows.join(',\n')}`]
}

function dueOf({ when, follows }: Step, no: number): string[] {
  const following = new Set<SubjectId>(follows)
  return when.map((subject) => `(${subject}, ${no}, ${following.has(subject)})`)
}

const STATEMENT_COLUMNS = [
  'no',
  'position',
  'sql',
  'near',
  'truncate',
  'deletes',
  'above_rows',
  'above',
  'dead',
  'relation',
  'parted',
  'leaf',
  'leaf_truncate',
  'leaf_of',
  'inserts',
  'moves',
] as const

/** A row of `STATEMENTS`, with its columns as SQL. */
function statementRow(
  columns: Readonly<Partial<Record<(typeof STATEMENT_COLUMNS)[number], string | number | boolean>>>,
): string {
  return `(${STATEMENT_COLUMNS.map((name) => columns[name] ?? 'NULL').join(', ')})`
}

function insteadOfDelete(schema: Schema, { tables, threshold }: TruncateInstead) {
  const [own, ...others] = tables.map((id) => tableOf(schema, id))
  if (own === undefined) return {}
  return {
    truncate: literal(truncate([own, ...others])),
    ...(others.length === 0 ? { leaf_truncate: literal(TRUNCATE_LEAF) } : {}),
    above_rows: threshold.aboveRows,
    above: Math.min(threshold.aboveBytes, threshold.deadBytes),
    dead: threshold.deadBytes,
    relation: own.id,
    parted: own.traits.includes('partitioned'),
  }
}

/** Empties the tables if the server has no space for the new files of a TRUNCATE. */
function deletesOf(schema: Schema, plan: Plan, step: TruncateStep): string {
  return statementsOf(schema, plan, { ...step, kind: 'delete', truncateAlternative: undefined }).join('; ')
}

/** With checks enabled: the tables on which a foreign key runs a statement when this step deletes rows. */
function referringTo({ foreignKeys }: Schema, { mode }: Plan, step: Step): TableId[] {
  if (step.kind !== 'delete' || mode !== 'ordered') return []
  const acts = foreignKeys.filter(({ onDelete }) => onDelete !== 'no action' && onDelete !== 'restrict')
  const touched = touchedBy(step)
  const from = acts.filter((key) => step.tables.includes(key.to)).map((key) => key.from)
  return [...new Set(from)].filter((id) => !touched.includes(id))
}

function touchedBy(step: Step): readonly TableId[] {
  const alternative = step.kind === 'delete' ? (step.truncateAlternative?.tables ?? []) : []
  return [...new Set([...tablesOfStep(step), ...alternative])]
}

/**
 * Sets every sequence to its position in the plan: `spread` moves them, and for the others a `setval` to the
 * current position makes the next `nextval` write WAL, which a sequence otherwise does only every 32nd time.
 */
export function startingPositions(schema: Schema, plan: Plan): string[] {
  const steps = plan.steps.filter(
    (step): step is RestartStep => step.kind === 'restart' && isAtBaseline(schema, step),
  )
  const isPlain = ({ sequence }: RestartStep) => !isCached(schema, sequence)
  const plain = steps.filter(isPlain).map(({ sequence, to }) => `(${sequence}, ${to.value}, ${to.called})`)
  const set =
    plain.length === 0
      ? []
      : [
          `SELECT pg_catalog.count(pg_catalog.setval(p.subject::pg_catalog.oid::pg_catalog.regclass, p.value, p.called))
  FROM (VALUES\n${plain.join(',\n')}) AS p (subject, value, called)`,
        ]
  return [
    ...set,
    ...steps.filter((step) => !isPlain(step)).flatMap((step) => statementsOf(schema, plan, step)),
  ]
}

function isCached(schema: Schema, id: SequenceId): boolean {
  return (byId(schema).sequences.get(id)?.cache ?? 1n) > 1n
}

/** A sequence with another position in the schema is dirty from the start: the first reset moves it. */
function isAtBaseline(schema: Schema, { sequence: id, to }: RestartStep): boolean {
  const position = byId(schema).sequences.get(id)?.position
  return position?.value === to.value && position.called === to.called
}
