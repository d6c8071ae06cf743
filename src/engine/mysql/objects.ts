import type { Connection } from '../connection.ts'

/** Number of objects in the database: tables, views, routines, events. Triggers belong to tables. */
export async function countObjects(connection: Connection): Promise<number> {
  const [row] = await connection.query(`SELECT
    (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()) +
    (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()) +
    (SELECT COUNT(*) FROM information_schema.events WHERE event_schema = DATABASE()) AS n`)
  return Number(row?.n)
}
