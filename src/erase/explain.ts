import { messageOf } from '../errors.ts'
import { type Schema, type TableId, tableOf } from '../schema/schema.ts'
import { actionsOf, checkOptions, type EraseOptions, keyLabel, labelOf, tableNamed } from './options.ts'
import { type ErasePlan, familyOf, isHere, type Link, planErase } from './plan.ts'
import { validatePlan } from './validate-plan.ts'

/** What an erase would do, derived from the catalog alone. Can be serialized as JSON. */
export interface EraseView {
  readonly table: string
  readonly cascade: ErasePlan['cascade']
  /** Why the erase would be refused; absent if it would not be. */
  readonly refused?: string
  /** Whether one statement is sufficient, because nothing refers to the rows. */
  readonly bare: boolean
  readonly tree: EraseBranch
  /** The tables whose rows are deleted, in order; tables in the same list form a cycle. */
  readonly order: readonly (readonly string[])[]
}

/** A table of the erase, with the tables that refer to it. */
export interface EraseBranch {
  readonly table: string
  /** The foreign key to it: `orders.user_id`; absent for the named table and tables that inherit from it. */
  readonly key?: string
  readonly onDelete?: string
  /** What happens to its rows: as declared, as requested by `onDelete`, or because of `cascade`. */
  readonly does: 'delete' | 'mark' | 'set null' | 'set default' | 'refuse'
  readonly asked: boolean
  /** Whether the table is in the tree already: several paths lead to its rows, which are deleted once. */
  readonly again: boolean
  /** Its triggers, which see each deleted row. */
  readonly triggers: readonly string[]
  readonly children: readonly EraseBranch[]
}

/** @throws AfreshError `usage` for a table, key or option that does not exist */
export function explainErase(schema: Schema, table: string, options: EraseOptions = {}): EraseView {
  checkOptions(options)
  const named = tableNamed(schema, table)
  const plan = planErase(schema, familyOf(schema, named), {
    cascade: options.cascade ?? 'error',
    actions: actionsOf(schema, options.onDelete),
    marksOnly: options.softDelete !== undefined,
  })
  const does = options.softDelete === undefined ? 'delete' : 'mark'
  const seen = new Set<TableId>()
  const branchOfTarget = (id: TableId): EraseBranch => ({
    table: labelOf(schema, id),
    does,
    asked: false,
    again: false,
    triggers: tableOf(schema, id).triggers,
    children: below(id),
  })
  const below = (id: TableId): EraseBranch[] => {
    seen.add(id)
    return plan.links.filter(({ key }) => key.to === id).map(branch)
  }
  const branch = (link: Link): EraseBranch => {
    const { key } = link
    if (!isHere(schema, key)) return elsewhere(link)
    const goes = link.does === 'delete'
    const again = goes && seen.has(key.from)
    return {
      table: labelOf(schema, key.from),
      key: keyLabel(schema, key),
      onDelete: key.onDelete,
      does: goes ? does : link.does,
      asked: link.asked,
      again,
      triggers: tableOf(schema, key.from).triggers,
      children: goes && !again ? below(key.from) : [],
    }
  }
  const tree = branchOfTarget(named.id)
  const heirs = plan.targets.filter((id) => id !== named.id).map(branchOfTarget)
  return {
    table: named.label,
    cascade: plan.cascade,
    ...refusalOf(plan),
    bare: plan.links.length === 0,
    tree: { ...tree, children: [...tree.children, ...heirs] },
    order: plan.groups.map(({ tables }) => tables.map((id) => labelOf(schema, id))),
  }
}

/** A table in another database, whose tables afresh does not read. */
function elsewhere({ key, asked }: Link): EraseBranch {
  const { onDelete } = key
  return { table: key.from, onDelete, does: 'refuse', asked, again: false, triggers: [], children: [] }
}

function refusalOf(plan: ErasePlan): { refused?: string } {
  try {
    validatePlan(plan)
    return {}
  } catch (error) {
    return { refused: messageOf(error) }
  }
}
