import { stronglyConnectedComponents } from '../schema/graph.ts'
import { byId, type ForeignKey, type Schema, type Table, type TableId } from '../schema/schema.ts'

/**
 * What happens to rows that refer to deleted rows. `error`: if any would have to be deleted, nothing is done.
 * `follow`: they are deleted first. `declared`: the server applies ON DELETE.
 */
export type Cascade = 'error' | 'follow' | 'declared'

/** What happens to the rows of `key.from` that refer to a deleted row. */
export type LinkAction = 'delete' | 'set null' | 'set default' | 'refuse'

/** A foreign key that refers to a table whose rows are deleted. */
export interface Link {
  readonly key: ForeignKey
  readonly does: LinkAction
  /** Whether the user requested the action for this key. */
  readonly asked: boolean
}

/** Tables whose rows are deleted together: several if their keys form a cycle. */
export interface Group {
  readonly tables: readonly TableId[]
  /** Whether rows of the group refer to rows of the group. */
  readonly cyclic: boolean
}

/** What an erase does, derived from the catalog alone; pure data. */
export interface ErasePlan {
  readonly schema: Schema
  readonly cascade: Cascade
  /** The tables that the condition applies to: the named one, and those that inherit from it. */
  readonly targets: readonly TableId[]
  readonly links: readonly Link[]
  /** The tables whose rows are deleted, children before parents. */
  readonly groups: readonly Group[]
  /** The tables that keep their rows, with other values in a foreign key. */
  readonly changed: readonly TableId[]
}

export interface PlanOptions {
  readonly cascade: Cascade
  /** Requested actions by foreign key, instead of the declared ones. */
  readonly actions: ReadonlyMap<ForeignKey, LinkAction>
  /** Rows are only marked: rows may continue to refer to them. */
  readonly marksOnly: boolean
}

export function planErase(schema: Schema, targets: readonly TableId[], options: PlanOptions): ErasePlan {
  const referring = keysByReferenced(schema)
  const gone = new Set(targets)
  const links: Link[] = []
  const queue = [...targets]
  for (let table = queue.shift(); table !== undefined; table = queue.shift()) {
    for (const key of referring.get(table) ?? []) {
      const link = linkOf(key, options)
      if (link === undefined) continue
      links.push(link)
      if (link.does !== 'delete' || gone.has(key.from)) continue
      gone.add(key.from)
      queue.push(key.from)
    }
  }
  const changed = links.filter(({ does }) => does === 'set null' || does === 'set default')
  return {
    schema,
    cascade: options.cascade,
    targets,
    links,
    groups: groupsOf(gone, links),
    changed: [...new Set(changed.map(({ key }) => key.from))],
  }
}

/** A named table and everything that inherits from it: a DELETE includes their rows. */
export function familyOf(schema: Schema, table: Table): TableId[] {
  const family = [table.id]
  for (const id of family) {
    family.push(
      ...schema.tables.flatMap((candidate) =>
        candidate.inherits.includes(id) && !family.includes(candidate.id) ? candidate.id : [],
      ),
    )
  }
  return family
}

function keysByReferenced(schema: Schema): Map<TableId, ForeignKey[]> {
  const found = new Map<TableId, ForeignKey[]>()
  for (const key of schema.foreignKeys) {
    const list = found.get(key.to)
    if (list === undefined) found.set(key.to, [key])
    else list.push(key)
  }
  return found
}

function linkOf(key: ForeignKey, { cascade, actions, marksOnly }: PlanOptions): Link | undefined {
  const requested = actions.get(key)
  if (requested !== undefined) return { key, does: requested, asked: true }
  if (cascade === 'declared' && key.enforced === false) return undefined
  const does = declared(key, cascade)
  if (marksOnly && (does === 'set null' || does === 'set default')) return undefined
  return { key, does, asked: false }
}

function declared({ onDelete }: ForeignKey, cascade: Cascade): LinkAction {
  if (onDelete === 'set null' || onDelete === 'set default') return onDelete
  return cascade !== 'declared' || onDelete === 'cascade' ? 'delete' : 'refuse'
}

function groupsOf(gone: ReadonlySet<TableId>, links: readonly Link[]): Group[] {
  const within = links.filter(({ key }) => gone.has(key.from) && gone.has(key.to))
  const children = new Map<TableId, TableId[]>()
  for (const { key } of within) children.set(key.to, [...(children.get(key.to) ?? []), key.from])
  return stronglyConnectedComponents([...gone], (id) => children.get(id) ?? []).map((tables) => ({
    tables,
    cyclic: within.some(({ key }) => tables.includes(key.from) && tables.includes(key.to)),
  }))
}

/** The links that delete rows of this table. */
export function deletingInto(plan: ErasePlan, table: TableId): Link[] {
  return plan.links.filter(({ key, does }) => does === 'delete' && key.from === table)
}

export function groupOf(plan: ErasePlan, table: TableId): Group {
  const group = plan.groups.find(({ tables }) => tables.includes(table))
  if (group === undefined) throw new Error(`no row goes from the table ${table}`)
  return group
}

/** The shortest path of links from a target to each table whose rows would be deleted, in order. */
export function pathsTo(plan: ErasePlan): Map<TableId, readonly Link[]> {
  const paths = new Map<TableId, readonly Link[]>(plan.targets.map((id) => [id, []]))
  for (const [table, path] of paths) {
    for (const link of plan.links) {
      if (link.key.to !== table || link.does !== 'delete' || paths.has(link.key.from)) continue
      paths.set(link.key.from, [...path, link])
    }
  }
  return paths
}

/** Whether the schema has the table that the key belongs to: it may be in another database. */
export function isHere(schema: Schema, key: ForeignKey): boolean {
  return byId(schema).tables.has(key.from)
}
