import type { ReferentialAction } from '../../src/schema/schema.ts'

/**
 * A schema, rows and a request, generated from a seed: the same everywhere, except for what an engine lacks.
 */
export interface Case {
  readonly tables: readonly CaseTable[]
  readonly keys: readonly CaseKey[]
  readonly rows: ReadonlyMap<string, readonly CaseRow[]>
  readonly target: string
}

export interface CaseTable {
  readonly name: string
  /** In addition to `v`, which conditions use, and `gone`, the soft-delete mark. */
  readonly columns: readonly CaseColumn[]
  readonly primaryKey: readonly string[]
  /** A unique column that may be NULL and be referenced. */
  readonly unique: string | undefined
}

export interface CaseColumn {
  readonly name: string
  readonly type: 'integer' | 'varchar(20)'
  readonly nullable: boolean
  readonly fallback: number | undefined
}

export interface CaseKey {
  readonly name: string
  readonly from: string
  readonly columns: readonly string[]
  readonly to: string
  readonly referenced: readonly string[]
  readonly onDelete: ReferentialAction
}

export type CaseValue = number | string | null
export type CaseRow = Readonly<Record<string, CaseValue>>

export interface Dice {
  /** A whole number below `count`. */
  below(count: number): number
  chance(percent: number): boolean
  among<T>(list: readonly T[]): T
}

/** Mulberry32: small, and deterministic on every machine. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return {
    below,
    chance: (percent) => below(100) < percent,
    among: (list) => list[below(list.length)] as (typeof list)[number],
  }
}

export function caseOf(dice: Dice, actions: readonly ReferentialAction[]): Case {
  const names = Array.from({ length: 1 + dice.below(5) }, (_, index) => `t${index}`)
  const counts = new Map(names.map((name) => [name, dice.chance(10) ? 0 : 1 + dice.below(8)]))
  const bare = names.map((name) => tableOf(dice, name))
  const keys: CaseKey[] = []
  const columns = new Map(bare.map(({ name, columns: own }) => [name, [...own]]))
  for (let left = dice.below(2 + 2 * names.length); left > 0; left--) {
    const from = dice.among(bare)
    const to = dice.among(bare)
    const referenced = referencedBy(dice, to)
    if (referenced === undefined) continue
    const onDelete = dice.among(actions)
    const nullable = onDelete === 'set null' || dice.chance(70) || (counts.get(to.name) ?? 0) === 0
    const own = referenced.map((name, index): CaseColumn => {
      const type = to.columns.find((column) => column.name === name)?.type ?? 'integer'
      const fallback =
        onDelete === 'set default' && type === 'integer' && dice.chance(70) ? dice.below(10) : undefined
      return {
        name: `f${keys.length}_${index}`,
        type,
        nullable: nullable || (referenced[0] === to.unique && to.unique !== undefined),
        fallback,
      }
    })
    columns.get(from.name)?.push(...own)
    keys.push({
      name: `k${keys.length}`,
      from: from.name,
      columns: own.map(({ name }) => name),
      to: to.name,
      referenced,
      onDelete,
    })
  }
  const tables = bare.map((table) => ({ ...table, columns: columns.get(table.name) ?? [] }))
  return { tables, keys, rows: rowsOf(dice, tables, keys, counts), target: dice.among(names) }
}

function tableOf(dice: Dice, name: string): CaseTable {
  const kind = dice.below(10)
  const column = (own: string, type: CaseColumn['type'] = 'integer', nullable = false): CaseColumn => ({
    name: own,
    type,
    nullable,
    fallback: undefined,
  })
  const unique = dice.chance(30) ? 'u' : undefined
  const rest = unique === undefined ? [] : [column('u', 'integer', true)]
  if (kind < 6) return { name, columns: [column('id'), ...rest], primaryKey: ['id'], unique }
  if (kind < 8) return { name, columns: [column('a'), column('b'), ...rest], primaryKey: ['a', 'b'], unique }
  if (kind < 9)
    return { name, columns: [column('code', 'varchar(20)'), ...rest], primaryKey: ['code'], unique }
  return { name, columns: [column('x'), ...rest], primaryKey: [], unique }
}

function referencedBy(dice: Dice, { primaryKey, unique }: CaseTable): readonly string[] | undefined {
  if (unique !== undefined && (primaryKey.length === 0 || dice.chance(30))) return [unique]
  return primaryKey.length === 0 ? undefined : primaryKey
}

function rowsOf(
  dice: Dice,
  tables: readonly CaseTable[],
  keys: readonly CaseKey[],
  counts: ReadonlyMap<string, number>,
): Map<string, CaseRow[]> {
  const rows = new Map<string, Record<string, CaseValue>[]>()
  for (const { name, columns, primaryKey, unique } of tables) {
    const made = Array.from({ length: counts.get(name) ?? 0 }, (_, index) => {
      const row: Record<string, CaseValue> = { v: dice.chance(10) ? null : dice.below(6), gone: null }
      for (const column of columns) row[column.name] = null
      if (primaryKey.length === 2) Object.assign(row, { a: Math.floor(index / 3), b: index % 3 })
      else if (primaryKey[0] !== undefined)
        row[primaryKey[0]] = primaryKey[0] === 'code' ? `k ${index}'` : index
      else row.x = dice.below(3)
      if (unique !== undefined) row[unique] = dice.chance(20) ? null : index
      return row
    })
    rows.set(name, made)
  }
  for (const { from, to, columns, referenced } of keys) {
    const parents = (rows.get(to) ?? []).filter((row) => referenced.every((name) => row[name] !== null))
    const table = tables.find(({ name }) => name === from)
    const mayBeNull = columns.every((name) => table?.columns.find((column) => column.name === name)?.nullable)
    for (const row of rows.get(from) ?? []) {
      const parent = parents.length === 0 || (mayBeNull && dice.chance(25)) ? undefined : dice.among(parents)
      for (const [index, column] of columns.entries()) {
        row[column] = parent === undefined ? null : (parent[referenced[index] ?? ''] ?? null)
      }
      // One NULL among several columns refers to nothing (MATCH SIMPLE).
      if (parent !== undefined && columns.length > 1 && mayBeNull && dice.chance(10))
        row[columns[0] ?? ''] = null
    }
  }
  return rows
}
