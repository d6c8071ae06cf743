import { stronglyConnectedComponents } from '../schema/graph.ts'
import { byId, type ForeignKey, type Schema, type Table, type TableId } from '../schema/schema.ts'

/**
 * What becomes of rows that refer to those that go. `error`: where any could have to go too, nothing is done. `follow`:
 * they go first. `declared`: the server does what ON DELETE says.
 */
export type Cascade = 'error' | 'follow' | 'declared'

/** What happens to the rows of `key.from` that refer to a row that goes. */
export type LinkAction = 'delete' | 'set null' | 'set default' | 'refuse'

/** A foreign key that refers to a table which rows go from. */
export interface Link {
  readonly key: ForeignKey
  readonly does: LinkAction
  /** The user said so, for this key. */
  readonly asked: boolean
}

/** Tables whose rows go together: more than one where their keys form a cycle. */
export interface Group {
  readonly tables: readonly TableId[]
  /** Rows in it refer to rows in it. */
  readonly cyclic: boolean
}

/** What an erase does, of the catalog alone; pure data. */
export interface ErasePlan {
  readonly schema: Schema
  readonly cascade: Cascade
  /** The tables that the condition is about: the named one, and those that inherit from it. */
  readonly targets: readonly TableId[]
  readonly links: readonly Link[]
  /** The tables that rows go from, children before parents. */
  readonly groups: readonly Group[]
  /** The tables that keep their rows, but with other values in a foreign key. */
  readonly changed: readonly TableId[]
}

export interface PlanOptions {
  readonly cascade: Cascade
  /** By the foreign key's name, or as `table.column`: instead of what is declared. */
  readonly actions: ReadonlyMap<ForeignKey, LinkAction>
  /** Rows are marked only: what refers to them may go on doing so. */
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

/** A named table and everything that inherits from it: a DELETE takes their rows as well. */
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
  const asked = actions.get(key)
  if (asked !== undefined) return { key, does: asked, asked: true }
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

/** The links over which rows go, into this table. */
export function deletingInto(plan: ErasePlan, table: TableId): Link[] {
  return plan.links.filter(({ key, does }) => does === 'delete' && key.from === table)
}

export function groupOf(plan: ErasePlan, table: TableId): Group {
  const group = plan.groups.find(({ tables }) => tables.includes(table))
  if (group === undefined) throw new Error(`no row goes from the table ${table}`)
  return group
}

/** The shortest way over foreign keys from a target to each table that rows would go from, as links in order. */
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

/** Whether the schema has the table that the key comes from: it may be in another database. */
export function isHere(schema: Schema, key: ForeignKey): boolean {
  return byId(schema).tables.has(key.from)
}
