import { AfreshError, messageOf, ResetError } from '../../errors.ts'
import { baselineLost } from './baseline.ts'
import { isLocked } from './transaction.ts'

/** Adds the step to errors of `body`; the innermost call wins. */
export function asStep<T>(
  step: string,
  body: () => T,
  position: { table: string | undefined; statement: string | undefined } = {
    table: undefined,
    statement: undefined,
  },
): T {
  try {
    return body()
  } catch (error) {
    if (error instanceof AfreshError) throw error
    if (/no such table: (temp\.)?afresh:baseline/.test(messageOf(error))) throw baselineLost(error)
    throw new ResetError({ step, ...position }, error, {
      code: isLocked(error) ? 'blocked' : 'reset',
      next: 'Nothing was changed: the reset is one transaction, and the next one starts over.',
    })
  }
}
