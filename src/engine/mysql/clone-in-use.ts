import { withUndo } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { DatabaseInUse } from '../databases.ts'
import { cloneDatabase } from './clone.ts'
import { dropDatabase } from './drop-database.ts'
import { disableEvents } from './events.ts'

/**
 * Definitions and rows can be read while others are connected. Under READ COMMITTED, INSERT … SELECT waits for no lock on the
 * rows that it reads: https://dev.mysql.com/doc/refman/9.0/en/innodb-locks-set.html. Events would go on writing to the
 * copy.
 */
export async function cloneInUse(
  admin: Connection,
  { connection, lockTimeoutMs }: DatabaseInUse,
  name: string,
): Promise<string> {
  const mark = await cloneDatabase(admin, connection.database, name, {}, { lockTimeoutMs })
  await withUndo(
    () => disableEvents(admin, name),
    () => dropDatabase(admin, name, mark),
  )
  return mark
}
