import { AfreshError, ResetError } from '../../errors.ts'
import { READ_ONLY } from './errno.ts'
import type { ResetContext } from './reset-context.ts'
import { failedWith, resetErrorFrom } from './reset-error.ts'
import { BatchError } from './session.ts'

/**
 * The error to throw for whatever ended a reset. If definitions changed, reports the change rather than its
 * consequences.
 *
 * @param ownStatements see `SchemaWatch.check`
 */
export async function explainFailure(
  context: ResetContext,
  cause: unknown,
  ownStatements: string | undefined,
): Promise<unknown> {
  const { definitions } = context
  definitions.doubt()
  const error = await asResetError(context, cause)
  if (!(error instanceof ResetError) || error.code === 'plan' || error.code === 'blocked') return error
  try {
    await definitions.check(ownStatements)
  } catch (found) {
    const isTheCause = found instanceof AfreshError && (found.code === 'plan' || failedWith(error, READ_ONLY))
    return isTheCause ? found : error
  }
  definitions.doubt()
  return error
}

/** The driver's error for a lost connection, at any point of a reset, needs an explanation. */
async function asResetError({ connection, program }: ResetContext, cause: unknown): Promise<unknown> {
  if (cause instanceof AfreshError) return cause
  const failure = cause instanceof BatchError ? cause : new BatchError(undefined, cause)
  return resetErrorFrom(connection, program, failure, () => undefined)
}
