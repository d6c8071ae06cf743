const { addProduct, count, rows, value } = require('../src/shop')

describe('products', () => {
  test.each(['desk', 'desk', 'desk'])('a new product is number 5 (%s)', async (name) => {
    expect(await addProduct(name, 300, 1)).toBe(5)
    expect(await count('products')).toBe(5)
  })

  test('everything on sale', async () => {
    await rows('UPDATE products SET price = price / 2')
    expect(await value('SELECT price::float FROM products WHERE id = 3')).toBe(60)
  })

  test('prices are as seeded', async () => {
    expect(await value('SELECT sum(price)::float FROM products')).toBe(262.4)
  })

  test('a thousand products', async () => {
    await rows("INSERT INTO products (name, price) SELECT 'p' || i, i FROM generate_series(1, 1000) i")
    expect(await value('SELECT max(id) FROM products')).toBe(1004)
  })

  test('settings may be changed', async () => {
    expect(await value("SELECT value FROM settings WHERE name = 'currency'")).toBe('EUR')
    await rows("UPDATE settings SET value = 'SEK'")
    await rows("INSERT INTO settings VALUES ('theme', 'dark')")
  })

  test('settings are as seeded', async () => {
    expect(await rows('SELECT * FROM settings ORDER BY name')).toEqual([
      { name: 'currency', value: 'EUR' },
      { name: 'shipping', value: '4.90' },
    ])
  })
})

describe('what a hook prepares', () => {
  beforeEach(async () => {
    await addProduct('from the hook', 1, 1)
  })

  test.each([1, 2])('is there in the test, once (%i)', async () => {
    expect(await value('SELECT max(id) FROM products')).toBe(5)
    expect(await count('products')).toBe(5)
  })
})
