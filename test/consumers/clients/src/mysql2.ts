import mysql, { type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'

const pool = mysql.createPool(process.env.DATABASE_URL ?? '')

export const all = async () =>
  (
    await pool.query<(RowDataPacket & { id: number; name: string })[]>(
      'SELECT id, name FROM users ORDER BY id',
    )
  )[0]
export const add = async (name: string) =>
  (await pool.query<ResultSetHeader>('INSERT INTO users (name) VALUES (?)', [name]))[0].insertId
// `execute` keeps the statement prepared on its connection.
export const rename = (id: number, name: string) =>
  pool.execute('UPDATE users SET name = ? WHERE id = ?', [name, id])
export const remove = (id: number) => pool.query('DELETE FROM users WHERE id = ?', [id])
export const close = () => pool.end()
