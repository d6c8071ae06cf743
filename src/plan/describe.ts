import { byId, type Schema, type SequenceId, type TableId } from '../schema/schema.ts'
import { type Plan, type Step, tablesOfStep } from './plan.ts'

/** A step in a few words: `delete from orders`. */
export function describeStep(schema: Schema, step: Step): string {
  const labels = (ids: readonly TableId[]) => ids.map((id) => tableLabel(schema, id)).join(', ')
  switch (step.kind) {
    case 'delete':
      return `delete from ${labels(step.tables)}`
    case 'truncate':
      return `truncate ${labels(step.tables)}`
    case 'delete-differing':
      return `remove what differs from ${tableLabel(schema, step.table)}`
    case 'insert-missing':
      return `put back the baseline rows of ${labels(step.tables)}`
    case 'refresh':
      return `refresh ${tableLabel(schema, step.table)}`
    case 'restart':
      return `restart ${sequenceLabel(schema, step.sequence)} ${step.to.called ? 'after' : 'at'} ${step.to.value}`
    case 'check':
      return `check the references of ${tableLabel(schema, step.foreignKey.from)} to ${tableLabel(schema, step.foreignKey.to)}`
  }
}

/** The tables that a step is about, for messages. */
export function stepTableLabel(schema: Schema, step: Step): string | undefined {
  switch (step.kind) {
    case 'check':
      return tableLabel(schema, step.foreignKey.from)
    case 'restart': {
      const owner = byId(schema).sequences.get(step.sequence)?.ownedBy
      return owner === undefined ? undefined : tableLabel(schema, owner.table)
    }
    default:
      return tablesOfStep(step)
        .map((id) => tableLabel(schema, id))
        .join(', ')
  }
}

export function tableLabel(schema: Schema, id: TableId): string {
  return byId(schema).tables.get(id)?.label ?? id
}

export function sequenceLabel(schema: Schema, id: SequenceId): string {
  return byId(schema).sequences.get(id)?.label ?? id
}

export function subjectLabel(schema: Schema, id: TableId | SequenceId): string {
  return byId(schema).tables.get(id)?.label ?? sequenceLabel(schema, id)
}

/** The cycles of the plan, as labels. */
export function cyclesOf(schema: Schema, plan: Plan): string[][] {
  return plan.order
    .filter((group) => group.length > 1)
    .map((group) => group.map((id) => tableLabel(schema, id)))
}

/** `24 KiB`, `1.3 MiB`: in binary units, of which a page is a whole number. */
export function inBinary(bytes: number): string {
  const [size, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB']
  return `${size < 10 ? Math.round(size * 10) / 10 : Math.round(size)} ${unit}`
}

export function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
