import { type Generated, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'

interface Database {
  users: { id: Generated<number>; name: string }
}

const db = new Kysely<Database>({
  dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.DATABASE_URL }) }),
})

export const all = () => db.selectFrom('users').selectAll().orderBy('id').execute()
export const add = async (name: string) =>
  (await db.insertInto('users').values({ name }).returning('id').executeTakeFirstOrThrow()).id
export const rename = (id: number, name: string) =>
  db.updateTable('users').set({ name }).where('id', '=', id).execute()
export const remove = (id: number) => db.deleteFrom('users').where('id', '=', id).execute()
export const close = () => db.destroy()
