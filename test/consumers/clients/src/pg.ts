import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', () => {}) // afresh may cut idle connections; without a listener pg throws

export const all = async () => (await pool.query('SELECT id, name FROM users ORDER BY id')).rows
export const add = async (name: string) =>
  (await pool.query('INSERT INTO users (name) VALUES ($1) RETURNING id', [name])).rows[0].id
// A named statement stays prepared on its connection.
export const rename = (id: number, name: string) =>
  pool.query({ name: 'rename', text: 'UPDATE users SET name = $2 WHERE id = $1', values: [id, name] })
export const remove = (id: number) => pool.query('DELETE FROM users WHERE id = $1', [id])
export const close = () => pool.end()
