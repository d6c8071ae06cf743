import pg from 'pg'

// As in many an application: the URL is read when the module is loaded.
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 3 })
// One that afresh ends must not end the process.
pool.on('error', () => {})

export async function rows(sql, values = []) {
  return (await pool.query(sql, values)).rows
}

export async function value(sql, values = []) {
  const [row] = await rows(sql, values)
  return Object.values(row ?? {})[0]
}

export const count = (table) => value(`SELECT count(*)::int FROM ${table}`)

export async function addCustomer(email) {
  return Number(await value('INSERT INTO customers (email) VALUES ($1) RETURNING id', [email]))
}
