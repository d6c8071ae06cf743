import type { Case, CaseKey, CaseRow, CaseValue } from './random.ts'

/**
 * The semantics of ON DELETE in the SQL standard, as simply as possible: rows in memory, processed until
 * nothing changes. It shares no code with what it is compared to.
 */
export interface Outcome {
  readonly rows: ReadonlyMap<string, readonly CaseRow[]>
  readonly deleted: ReadonlyMap<string, number>
  readonly changed: ReadonlyMap<string, number>
  /** A remaining row refers to none, or lacks a required value: the erase has to fail. */
  readonly breaks: boolean
  /**
   * A deleted row refers to another deleted row by a key that does not cascade: a server may refuse or not.
   */
  readonly mayBreak: boolean
}

type Does = 'delete' | 'set null' | 'set default' | 'forbid'

export function outcomeOf(
  given: Case,
  selects: (row: CaseRow) => boolean,
  does: (key: CaseKey) => Does,
  from: readonly string[] = [given.target],
): Outcome {
  const gone = new Set<CaseRow>()
  for (const name of from) for (const row of given.rows.get(name) ?? []) if (selects(row)) gone.add(row)
  for (let before = -1; before !== gone.size; ) {
    before = gone.size
    for (const key of given.keys) {
      if (does(key) !== 'delete') continue
      for (const row of given.rows.get(key.from) ?? []) {
        const parent = referred(given, key, row)
        if (parent !== undefined && gone.has(parent)) gone.add(row)
      }
    }
  }
  const rows = new Map<string, CaseRow[]>()
  const changed = new Map<string, number>()
  for (const { name } of given.tables) {
    const left = (given.rows.get(name) ?? []).filter((row) => !gone.has(row))
    rows.set(
      name,
      left.map((row) => {
        const after = afterwards(given, row, name, gone, does)
        if (after !== row) changed.set(name, (changed.get(name) ?? 0) + 1)
        return after
      }),
    )
  }
  return {
    rows,
    deleted: new Map([...given.rows].map(([name, all]) => [name, all.filter((row) => gone.has(row)).length])),
    changed,
    breaks: !holds(given, rows),
    mayBreak: given.keys.some((key) =>
      [...gone].some((row) => {
        if (does(key) === 'delete' || !(given.rows.get(key.from) ?? []).includes(row)) return false
        const parent = referred(given, key, row)
        return parent !== undefined && gone.has(parent)
      }),
    ),
  }
}

function afterwards(
  given: Case,
  row: CaseRow,
  table: string,
  gone: ReadonlySet<CaseRow>,
  does: (key: CaseKey) => Does,
): CaseRow {
  const set: Record<string, CaseValue> = {}
  for (const key of given.keys) {
    const action = does(key)
    if (key.from !== table || (action !== 'set null' && action !== 'set default')) continue
    const parent = referred(given, key, row)
    if (parent === undefined || !gone.has(parent)) continue
    for (const name of key.columns) {
      const column = given.tables
        .find((candidate) => candidate.name === table)
        ?.columns.find((column) => column.name === name)
      set[name] = action === 'set null' ? null : (column?.fallback ?? null)
    }
  }
  return Object.keys(set).length === 0 ? row : { ...row, ...set }
}

function referred(given: Case, key: CaseKey, row: CaseRow): CaseRow | undefined {
  if (key.columns.some((name) => row[name] === null)) return undefined
  return (given.rows.get(key.to) ?? []).find((parent) =>
    key.columns.every((name, index) => parent[key.referenced[index] ?? ''] === row[name]),
  )
}

export function holds(given: Case, rows: ReadonlyMap<string, readonly CaseRow[]>): boolean {
  const filled = given.tables.every(({ name, columns }) =>
    (rows.get(name) ?? []).every((row) =>
      columns.every((column) => column.nullable || row[column.name] !== null),
    ),
  )
  const refers = given.keys.every((key) =>
    (rows.get(key.from) ?? []).every(
      (row) =>
        key.columns.some((name) => row[name] === null) ||
        referred({ ...given, rows }, key, row) !== undefined,
    ),
  )
  return filled && refers
}
