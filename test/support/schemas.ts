import type {
  ForeignKey,
  ReferentialAction,
  Schema,
  Sequence,
  Table,
  TableTrait,
} from '../../src/schema/schema.ts'

/** Builds a schema from a short notation, for tests without a database: `['orders -> users', 'users']`. */
export function schemaOf(lines: readonly string[], extras: Partial<Schema> = {}): Schema {
  const names = new Set<string>()
  const foreignKeys: ForeignKey[] = []
  for (const line of lines) {
    const [from = '', to, action] = line.split(/ -> | on delete /)
    names.add(from)
    if (to === undefined) continue
    names.add(to)
    foreignKeys.push(foreignKey(from, to, (action as ReferentialAction | undefined) ?? 'no action'))
  }
  return { tables: [...names].map((name) => table(name)), foreignKeys, sequences: [], ...extras }
}

export function table(name: string, traits: readonly TableTrait[] = []): Table {
  return {
    id: name,
    schema: 'public',
    name,
    label: name,
    columns: [],
    primaryKey: ['id'],
    traits,
    triggers: [],
    inherits: [],
    partitions: [],
  }
}

function foreignKey(from: string, to: string, onDelete: ReferentialAction): ForeignKey {
  return {
    name: `${from}_${to}_fkey`,
    from,
    columns: ['parent'],
    to,
    referencedColumns: ['id'],
    onDelete,
    onUpdate: 'no action',
    deferrable: false,
  }
}

export function sequence(name: string, owner?: string, extras: Partial<Sequence> = {}): Sequence {
  return {
    id: name,
    schema: 'public',
    name,
    label: name,
    kind: 'sequence',
    ownedBy: owner === undefined ? undefined : { table: owner, column: 'id' },
    start: 1n,
    increment: 1n,
    min: 1n,
    max: 2n ** 31n - 1n,
    cache: 1n,
    position: { value: 1n, called: false },
    ...extras,
  }
}
