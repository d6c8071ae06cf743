import { withUndo } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { DatabaseInUse } from '../databases.ts'
import { cloneDatabase } from './clone.ts'
import { dropDatabase } from './drop-database.ts'
import { disableEvents } from './events.ts'

/** Definitions and rows can be read whoever is connected. Events would go on writing to the copy. */
export async function cloneInUse(
  admin: Connection,
  { connection }: DatabaseInUse,
  name: string,
): Promise<string> {
  const mark = await cloneDatabase(admin, connection.database, name)
  await withUndo(
    () => disableEvents(admin, name),
    () => dropDatabase(admin, name, mark),
  )
  return mark
}
