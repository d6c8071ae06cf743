import { asc, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'

const users = pgTable('users', { id: serial().primaryKey(), name: text().notNull() })
const db = drizzle(process.env.DATABASE_URL ?? '')

export const all = () => db.select().from(users).orderBy(asc(users.id))
export const add = async (name: string) => {
  const [added] = await db.insert(users).values({ name }).returning({ id: users.id })
  return added?.id ?? 0
}
export const rename = (id: number, name: string) =>
  db.update(users).set({ name }).where(eq(users.id, id)).execute()
export const remove = (id: number) => db.delete(users).where(eq(users.id, id)).execute()
export const close = () => db.$client.end()
