import { messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { createStatementsOf, type Definition } from './definitions.ts'

/** One message per statement: in a message of several, MySQL stores the semicolon with the definition. */
export async function createEach(connection: Connection, definitions: readonly Definition[]): Promise<void> {
  for (const definition of definitions) {
    for (const statement of createStatementsOf(definition)) {
      try {
        await connection.query(statement)
      } catch (error) {
        throw failedAt(statement, error)
      }
    }
  }
}

export function failedAt(statement: string, cause: unknown): Error {
  return new Error(`${messageOf(cause)}\n  ${statement.replace(/\s+/g, ' ').slice(0, 300)}`, { cause })
}
