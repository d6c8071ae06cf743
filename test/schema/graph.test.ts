import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { graphOf, stronglyConnectedComponents } from '../../src/schema/graph.ts'
import { schemaOf } from '../support/schemas.ts'

describe('the order of deletion', () => {
  it('puts children before parents', () => {
    const { order } = graphOf(schemaOf(['lines -> orders', 'orders -> users', 'users', 'lines -> products']))
    const flat = order.flat()
    expect(flat.indexOf('lines')).toBeLessThan(flat.indexOf('orders'))
    expect(flat.indexOf('orders')).toBeLessThan(flat.indexOf('users'))
    expect(flat.indexOf('lines')).toBeLessThan(flat.indexOf('products'))
  })

  it('keeps the tables of a cycle together and ignores a self reference', () => {
    const graph = graphOf(schemaOf(['a -> b', 'b -> c', 'c -> a', 'd -> a', 'd -> d', 'c -> e']))
    expect(graph.order.map((group) => [...group].sort())).toEqual([['d'], ['a', 'b', 'c'], ['e']])
    expect([...graph.selfReferencing]).toEqual(['d'])
  })

  it('computes closure and ancestors', () => {
    const graph = graphOf(schemaOf(['lines -> orders', 'orders -> users', 'notes -> users', 'other']))
    expect([...graph.closure('users')].sort()).toEqual(['lines', 'notes', 'orders', 'users'])
    expect([...graph.ancestors('lines')].sort()).toEqual(['orders', 'users'])
    expect(graph.ancestors('users')).toEqual([])
  })

  it('ignores a foreign key to a table outside of the schema', () => {
    const schema = schemaOf(['a -> elsewhere', 'b'])
    const { order, parents } = graphOf({
      ...schema,
      tables: schema.tables.filter(({ id }) => id !== 'elsewhere'),
    })
    expect(order.flat().sort()).toEqual(['a', 'b'])
    expect(parents('a')).toEqual([])
  })

  it('does not depend on the order of the catalog', () => {
    const schema = schemaOf(['b -> a', 'c -> a', 'd -> b', 'e'])
    const reversed = {
      ...schema,
      tables: schema.tables.toReversed(),
      foreignKeys: schema.foreignKeys.toReversed(),
    }
    expect(graphOf(reversed).order).toEqual(graphOf(schema).order)
  })

  it.each([10_000, 100_000])('does not recurse: a chain of %i tables', (length) => {
    const chain = Array.from({ length }, (_, i) => (i === 0 ? 't0' : `t${i} -> t${i - 1}`))
    const { order } = graphOf(schemaOf(chain))
    expect(order).toHaveLength(length)
    expect(order[0]).toEqual([`t${length - 1}`])
    expect(order.at(-1)).toEqual(['t0'])
  })

  it('finds one component in a ring of 10,000 tables', () => {
    const ring = Array.from({ length: 10_000 }, (_, i) => `t${i} -> t${(i + 1) % 10_000}`)
    expect(graphOf(schemaOf(ring)).order).toHaveLength(1)
  })
})

describe('strongly connected components, against a plain transitive closure', () => {
  const graphs = fc.integer({ min: 1, max: 24 }).chain((size) => {
    const node = fc.nat(size - 1)
    return fc.record({
      size: fc.constant(size),
      edges: fc.array(fc.tuple(node, node), { maxLength: size * 3 }),
    })
  })

  it('has each node once, exact components, and every edge pointing backwards', () => {
    fc.assert(
      fc.property(graphs, ({ size, edges }) => {
        const nodes = Array.from({ length: size }, (_, i) => i)
        const components = stronglyConnectedComponents(nodes, (node) =>
          edges.filter(([from]) => from === node).map(([, to]) => to),
        )
        expect(components.flat().sort((a, b) => a - b)).toEqual(nodes)

        const positions = new Map(
          components.flatMap((component, i) => component.map((node) => [node, i] as const)),
        )
        const reaches = transitiveClosure(size, edges)
        for (const a of nodes) {
          for (const b of nodes) {
            const isTogether = a === b || (reaches[a]?.[b] === true && reaches[b]?.[a] === true)
            expect(positions.get(a) === positions.get(b)).toBe(isTogether)
          }
        }
        for (const [from, to] of edges)
          expect(positions.get(to)).toBeLessThanOrEqual(positions.get(from) ?? -1)
      }),
      { numRuns: 500 },
    )
  })
})

/** Warshall's algorithm. */
function transitiveClosure(size: number, edges: readonly (readonly [number, number])[]): boolean[][] {
  const reaches = Array.from({ length: size }, () => Array<boolean>(size).fill(false))
  for (const [from, to] of edges) (reaches[from] as boolean[])[to] = true
  for (let via = 0; via < size; via++) {
    for (const row of reaches) {
      if (row[via]) for (let to = 0; to < size; to++) row[to] ||= reaches[via]?.[to] === true
    }
  }
  return reaches
}
