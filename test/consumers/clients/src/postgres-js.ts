import postgres from 'postgres'

const sql = postgres(process.env.DATABASE_URL ?? '')

export const all = async () =>
  [...(await sql`SELECT id, name FROM users ORDER BY id`)] as { id: number; name: string }[]
export const add = async (name: string) =>
  (await sql`INSERT INTO users (name) VALUES (${name}) RETURNING id`)[0]?.id
export const rename = (id: number, name: string) =>
  sql`UPDATE users SET name = ${name} WHERE id = ${id}`.execute()
export const remove = (id: number) => sql`DELETE FROM users WHERE id = ${id}`.execute()
export const close = () => sql.end()
