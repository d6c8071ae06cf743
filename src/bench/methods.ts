import type { MethodId } from '../engine/bench-dialect.ts'

/** A method to empty a table, for display. */
export interface Method {
  readonly id: MethodId
  readonly label: string
  /** What it does, as one sentence. */
  readonly note: string
  /** Whether it is measured in all cases, not only in the base case. */
  readonly everywhere: boolean
}

/** In display order. */
export const METHODS: readonly Method[] = [
  method('delete', 'DELETE', 'one statement without a condition', true),
  method('delete-restart', 'DELETE + restart', 'DELETE, and a restart of the counter', false),
  method(
    'delete-rows',
    'DELETE row by row',
    'DELETE WHERE true: avoids the shortcut that SQLite takes',
    false,
  ),
  method('truncate', 'TRUNCATE', 'with every table that refers to it, if the server requires that', true),
  method(
    'truncate-restart',
    'TRUNCATE RESTART IDENTITY',
    'the counter goes back to its start as well',
    false,
  ),
  method('truncate-cascade', 'TRUNCATE CASCADE', 'and whatever refers to it', false),
  method(
    'batch-100',
    'DELETE, 100 a statement',
    'by ranges of the key, a round trip and a transaction each',
    false,
  ),
  method('batch-1000', 'DELETE, 1,000 a statement', 'by ranges of the key', false),
  method('batch-10000', 'DELETE, 10,000 a statement', 'by ranges of the key', false),
  method(
    'orm-100',
    'ORM loop, 100 keys',
    'select 100 keys, delete them by id, and again (Django ticket 9519)',
    false,
  ),
  method('drop-create', 'DROP + CREATE', 'the table is created again', false),
  method('swap', 'swap of an empty copy', 'an empty copy takes its name, and the old one is dropped', false),
  method('clone', 'clone again', 'the whole database is dropped and cloned from its template', false),
]

function method(id: MethodId, label: string, note: string, everywhere: boolean): Method {
  return { id, label, note, everywhere }
}

/** The method with this id. Throws for an unknown id, which is a programming error. */
export function methodById(id: string): Method {
  const found = METHODS.find((candidate) => candidate.id === id)
  if (found === undefined) throw new Error(`no method is called ${id}`)
  return found
}
