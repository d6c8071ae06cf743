const { addCustomer, count, rows } = require('../src/shop')

const emails = async () => (await rows('SELECT email FROM customers ORDER BY id')).map(({ email }) => email)

const SEED = ['ada@example.com', 'grace@example.com', 'linus@example.com']

describe('customers', () => {
  test('the seed is there', async () => {
    expect(await emails()).toEqual(SEED)
  })

  // The same e-mail address and the same id every time: only a fresh database lets all of them pass.
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('a new customer is number 4 (%i)', async () => {
    expect(await addCustomer('new@example.com')).toBe(4)
    expect(await emails()).toEqual([...SEED, 'new@example.com'])
  })

  test('ten new customers are 4 to 13', async () => {
    const ids = []
    for (let i = 0; i < 10; i++) ids.push(await addCustomer(`${i}@example.com`))
    expect(ids).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  })

  test('a chain of invitations', async () => {
    const first = await addCustomer('first@example.com', 3)
    const second = await addCustomer('second@example.com', first)
    expect([first, second]).toEqual([4, 5])
    expect(await count('customers')).toBe(5)
  })

  test('an invitation loop may be left behind', async () => {
    const id = await addCustomer('loop@example.com')
    await rows('UPDATE customers SET invited_by = $1 WHERE id = 1', [id])
    await rows('UPDATE customers SET invited_by = 1 WHERE id = $1', [id])
    expect(await rows('SELECT id::int FROM customers WHERE invited_by = 4')).toEqual([{ id: 1 }])
  })

  test('a seeded customer may be renamed', async () => {
    expect(await emails()).toEqual(SEED)
    await rows("UPDATE customers SET email = 'countess@example.com' WHERE id = 1")
    expect((await emails())[0]).toBe('countess@example.com')
  })

  test('a seeded customer may be deleted', async () => {
    expect(await count('customers')).toBe(3)
    await rows('DELETE FROM customers WHERE id = 3')
    expect(await emails()).toEqual(SEED.slice(0, 2))
  })
})
