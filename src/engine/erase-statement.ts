import type { EraseSession, Statement } from './erase-dialect.ts'

/** Runs one statement as a transaction of the session. Returns how many rows it changed. */
export async function changeInTransaction(
  session: Pick<EraseSession, 'transaction'>,
  statement: Statement,
): Promise<number> {
  let changed = 0
  await session.transaction([statement], {
    keep: true,
    cyclic: false,
    isolation: 'none',
    temporary: [],
    watch(_, [count = 0]) {
      changed = count
    },
  })
  return changed
}
