import type { Schema, Table, TableId } from './schema.ts'

/**
 * The foreign keys of a schema as a graph. Pure: no SQL, no I/O.
 *
 * The traversals keep their own stack, so chains of 10,000 tables and more do not overflow the call stack.
 * The strongly connected components of graphology-components 1.5 and @dagrejs/graphlib recurse and overflow.
 */
export interface Graph {
  /** Tables, children (referencing) before parents (referenced). The tables of a cycle form one group. */
  readonly order: readonly (readonly TableId[])[]
  /** Tables with a foreign key to themselves. */
  readonly selfReferencing: ReadonlySet<TableId>
  /** The tables that reference this one directly. */
  children(id: TableId): readonly TableId[]
  /** The tables that this one references directly. */
  parents(id: TableId): readonly TableId[]
  /**
   * The table and all tables that reference it, directly or indirectly.
   *
   * @param most how many of those are enough: the search ends there, so that asking for each table of a long
   * chain stays linear
   */
  closure(id: TableId, most?: number): readonly TableId[]
  /** All tables that this one references, directly or indirectly. Includes itself only in a cycle. */
  ancestors(id: TableId): readonly TableId[]
}

/** Builds the graph. Ignores foreign keys with an end outside the schema. */
export function graphOf(schema: Schema): Graph {
  const nodes = [...schema.tables].sort(byLabel).map(({ id }) => id)
  const known = new Set(nodes)
  const edges = schema.foreignKeys.filter(({ from, to }) => known.has(from) && known.has(to))
  const children = neighbours(
    nodes,
    edges.map(({ from, to }) => [to, from]),
  )
  const parents = neighbours(
    nodes,
    edges.map(({ from, to }) => [from, to]),
  )
  const below = (id: TableId) => children.get(id) ?? []
  const above = (id: TableId) => parents.get(id) ?? []
  return {
    order: stronglyConnectedComponents(nodes, below),
    selfReferencing: new Set(
      schema.foreignKeys.filter(({ from, to }) => from === to).map(({ from }) => from),
    ),
    children: below,
    parents: above,
    closure: (id, most) => [id, ...reachable([id], below, most).filter((other) => other !== id)],
    ancestors: (id) => reachable([id], above),
  }
}

/** In the order of the nodes, so that the same schema always gives the same plan. */
function neighbours(
  nodes: readonly TableId[],
  edges: readonly (readonly [TableId, TableId])[],
): Map<TableId, TableId[]> {
  const position = new Map(nodes.map((id, index) => [id, index]))
  const found = new Map<TableId, Set<TableId>>()
  for (const [from, to] of edges) {
    const set = found.get(from) ?? new Set()
    found.set(from, set.add(to))
  }
  const byPlace = (a: TableId, b: TableId) => (position.get(a) ?? 0) - (position.get(b) ?? 0)
  return new Map([...found].map(([id, set]) => [id, [...set].sort(byPlace)]))
}

function byLabel(a: Table, b: Table): number {
  return a.label < b.label ? -1 : a.label > b.label ? 1 : 0
}

/** All nodes reachable over at least one edge, in order of discovery. */
export function reachable<T>(
  from: Iterable<T>,
  successors: (node: T) => readonly T[],
  most = Number.POSITIVE_INFINITY,
): T[] {
  const found = new Set<T>()
  const queue = [...from]
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const next of successors(node)) {
      if (found.size >= most) return [...found]
      if (!found.has(next)) {
        found.add(next)
        queue.push(next)
      }
    }
  }
  return [...found]
}

interface Visit<T> {
  readonly node: T
  readonly index: number
  low: number
  readonly successors: readonly T[]
  next: number
}

/**
 * Tarjan's algorithm, linear in nodes and edges. A component follows every component that it can reach, so
 * with edges from parent to child the result is the order in which rows can be deleted.
 */
export function stronglyConnectedComponents<T>(
  nodes: readonly T[],
  successors: (node: T) => readonly T[],
): T[][] {
  const components: T[][] = []
  const visits = new Map<T, Visit<T>>()
  const open: T[] = []
  const isOpen = new Set<T>()

  const enter = (node: T): Visit<T> => {
    const visit = { node, index: visits.size, low: visits.size, successors: successors(node), next: 0 }
    visits.set(node, visit)
    open.push(node)
    isOpen.add(node)
    return visit
  }

  const leave = (visit: Visit<T>): void => {
    if (visit.low !== visit.index) return
    const component = open.splice(open.lastIndexOf(visit.node))
    for (const node of component) isOpen.delete(node)
    components.push(component)
  }

  for (const root of nodes) {
    if (visits.has(root)) continue
    const path = [enter(root)]
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const next = visit.successors[visit.next++]
      if (next === undefined) {
        leave(visit)
        path.pop()
        const parent = path.at(-1)
        if (parent !== undefined) parent.low = Math.min(parent.low, visit.low)
      } else {
        const seen = visits.get(next)
        if (seen === undefined) path.push(enter(next))
        else if (isOpen.has(next)) visit.low = Math.min(visit.low, seen.index)
      }
    }
  }
  return components
}
