import pg from 'pg'

// As in many an application: the URL is read when the module is loaded.
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 3 })

export async function rows<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
  return (await pool.query<T>(sql, values)).rows
}

export async function value<T>(sql: string, values: unknown[] = []): Promise<T> {
  const [row] = await rows(sql, values)
  return Object.values(row ?? {})[0] as T
}

export const count = (table: string): Promise<number> => value(`SELECT count(*)::int FROM ${table}`)

export async function addCustomer(email: string, invitedBy: number | null = null): Promise<number> {
  return Number(
    await value('INSERT INTO customers (email, invited_by) VALUES ($1, $2) RETURNING id', [email, invitedBy]),
  )
}

export async function addProduct(name: string, price: number, stock: number): Promise<number> {
  return value('INSERT INTO products (name, price, stock) VALUES ($1, $2, $3) RETURNING id', [
    name,
    price,
    stock,
  ])
}

/** Places an order in one transaction: the stock goes down, or nothing happens. */
export async function placeOrder(customer: number, lines: Record<number, number>): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const order = await client.query<{ id: number }>(
      "INSERT INTO orders (customer_id, invoice) VALUES ($1, nextval('invoice_number')) RETURNING id",
      [customer],
    )
    const id = order.rows[0]?.id ?? 0
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
