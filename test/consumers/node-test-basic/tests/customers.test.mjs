import assert from 'node:assert/strict'
import { database } from 'afresh/node-test'
import { inAnyOrder, times } from '../src/any-order.cjs'
import { addCustomer, count, rows } from '../src/shop.cjs'

const SEED = ['ada@example.com', 'grace@example.com', 'linus@example.com']
const emails = async () => (await rows('SELECT email FROM customers ORDER BY id')).map(({ email }) => email)

inAnyOrder('customers', {
  // The same e-mail address and the same id every time: only a fresh database lets all of them pass.
  ...times(10, 'a new customer is number 4', async () => {
    assert.equal(await addCustomer('new@example.com'), 4)
    assert.deepEqual(await emails(), [...SEED, 'new@example.com'])
  }),
  'a set of fixtures may be loaded': async () => {
    await database.load('more')
    assert.equal(await count('customers'), 5)
    assert.equal(await addCustomer('next@example.com'), 12)
    await assert.rejects(database.load('mroe'), /Is it more\?/)
  },
  'ten new customers are 4 to 13': async () => {
    for (let id = 4; id < 14; id++) assert.equal(await addCustomer(`${id}@example.com`), id)
  },
  'an invitation loop may be left behind': async () => {
    const id = await addCustomer('loop@example.com')
    await rows('UPDATE customers SET invited_by = $1 WHERE id = 1', [id])
    await rows('UPDATE customers SET invited_by = 1 WHERE id = $1', [id])
  },
  'a seeded customer may be renamed': async () => {
    assert.deepEqual(await emails(), SEED)
    await rows("UPDATE customers SET email = 'countess@example.com' WHERE id = 1")
  },
  'a seeded customer may be deleted': async () => {
    assert.equal(await count('customers'), 3)
    await rows('DELETE FROM customers WHERE id = 3')
  },
})
