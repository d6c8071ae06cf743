const pg = require('pg')

// As in many an application: the URL is read when the module is loaded.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 3, allowExitOnIdle: true })

const rows = async (sql, values = []) => (await pool.query(sql, values)).rows
const value = async (sql, values = []) => Object.values((await rows(sql, values))[0] ?? {})[0]
const count = (table) => value(`SELECT count(*)::int FROM ${table}`)

const addCustomer = async (email, invitedBy = null) =>
  Number(
    await value('INSERT INTO customers (email, invited_by) VALUES ($1, $2) RETURNING id', [email, invitedBy]),
  )

const addProduct = (name, price) =>
  value('INSERT INTO products (name, price) VALUES ($1, $2) RETURNING id', [name, price])

/** Places an order in one transaction: the stock goes down, or nothing happens. */
async function placeOrder(customer, lines) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const { rows } = await client.query(
      "INSERT INTO orders (customer_id, invoice) VALUES ($1, nextval('invoice_number')) RETURNING id",
      [customer],
    )
    for (const [product, quantity] of Object.entries(lines)) {
      await client.query('UPDATE products SET stock = stock - $2 WHERE id = $1', [product, quantity])
      await client.query('INSERT INTO order_lines VALUES ($1, $2, $3)', [rows[0].id, product, quantity])
    }
    await client.query('COMMIT')
    return rows[0].id
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

module.exports = { addCustomer, addProduct, count, placeOrder, rows, value }
