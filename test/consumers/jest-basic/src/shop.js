const pg = require('pg')

// As in many an application: the URL is read when the module is loaded.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 3, allowExitOnIdle: true })
// The server may end before the pool does: in-band runs share the process with the global teardown.
pool.on('error', () => {})

const rows = async (sql, values = []) => (await pool.query(sql, values)).rows

async function value(sql, values = []) {
  const [row] = await rows(sql, values)
  return Object.values(row ?? {})[0]
}

const count = (table) => value(`SELECT count(*)::int FROM ${table}`)

const addCustomer = async (email, invitedBy = null) =>
  Number(
    await value('INSERT INTO customers (email, invited_by) VALUES ($1, $2) RETURNING id', [email, invitedBy]),
  )

const addProduct = (name, price, stock) =>
  value('INSERT INTO products (name, price, stock) VALUES ($1, $2, $3) RETURNING id', [name, price, stock])

/** Places an order in one transaction: the stock goes down, or nothing happens. */
async function placeOrder(customer, lines) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const order = await client.query(
      "INSERT INTO orders (customer_id, invoice) VALUES ($1, nextval('invoice_number')) RETURNING id",
      [customer],
    )
    const id = order.rows[0].id
    for (const [product, quantity] of Object.entries(lines)) {
      await client.query('UPDATE products SET stock = stock - $2 WHERE id = $1', [product, quantity])
      await client.query('INSERT INTO order_lines VALUES ($1, $2, $3)', [id, product, quantity])
    }
    await client.query('COMMIT')
    return id
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

module.exports = { pool, rows, value, count, addCustomer, addProduct, placeOrder }
