import type { Connection } from '../connection.ts'
import type { Program } from '../resetter.ts'
import type { Baseline } from './baseline.ts'
import type { Result } from './mysql-connection.ts'
import type { OwnStatements } from './own-statements.ts'
import type { Action } from './program.ts'
import { resetErrorFrom } from './reset-error.ts'
import type { SchemaWatch } from './schema-watch.ts'
import { BatchError, batch } from './session.ts'
import type { Trigger } from './triggers.ts'

/** The database that a session resets. */
export interface ResetTarget {
  readonly connection: Connection
  readonly program: Program
  readonly database: string
  /** Statements that fail if the database is not afresh's to change. */
  readonly proof: readonly string[]
  /** Where a session that tells the statements of others by the server's counts records its own. */
  readonly own: { statements?: OwnStatements | undefined }
}

/** What all parts of a session of resets use. */
export interface ResetContext extends ResetTarget {
  readonly baseline: Baseline
  /** The triggers that would fire while rows are restored: a reset drops them and creates them again. */
  readonly triggers: readonly Trigger[]
  readonly definitions: SchemaWatch
}

/**
 * Runs statements after the proof, in one round trip. Throws the error of a reset.
 *
 * @param describe which part of the reset the statement with this index belongs to
 */
export async function runProved(
  { connection, program, proof, own }: ResetTarget,
  statements: readonly string[],
  describe: (index: number) => Action | undefined,
  { isRecorded = true }: { readonly isRecorded?: boolean } = {},
): Promise<Result[]> {
  const all = [...proof, ...statements]
  const record = isRecorded ? own.statements?.record(all) : undefined
  try {
    const { lockTimeoutMs } = program
    const results = await batch(connection, all, { lockTimeoutMs, around: record })
    record?.finished()
    return results.slice(proof.length)
  } catch (error) {
    await record?.failed(error instanceof BatchError ? error.index : undefined)
    throw await resetErrorFrom(connection, program, error, (index) => describe(index - proof.length))
  }
}
