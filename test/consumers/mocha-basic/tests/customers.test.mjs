import assert from 'node:assert/strict'
import { database, startFrom } from 'afresh/mocha'
import anyOrder from '../src/any-order.cjs'
import shop from '../src/shop.cjs'

const { inAnyOrder, times } = anyOrder
const { addCustomer, count, rows, value } = shop

inAnyOrder('customers', {
  ...times(10, 'a new customer is number 4', async () => {
    assert.equal(await addCustomer('new@example.com', 1), 4)
    assert.equal(await count('customers'), 4)
  }),
  'fixtures on top of the baseline': async () => {
    await database.load('more')
    assert.equal(await count('customers'), 5)
  },
})

describe('with a fourth customer', () => {
  startFrom('four customers', async () => {
    assert.equal(await addCustomer('eve@example.com'), 4)
  })

  for (const n of [1, 2]) {
    it(`a new customer is number 5 (${n})`, async () => {
      assert.equal(await addCustomer('new@example.com'), 5)
    })
  }

  describe('and a fifth', () => {
    startFrom('five customers', () => addCustomer('mallory@example.com'), 20_000)

    for (const n of [1, 2]) {
      it(`a new customer is number 6 (${n})`, async () => {
        assert.equal(await addCustomer('new@example.com'), 6)
      })
    }
  })
})

describe('hooks', () => {
  before(() => addCustomer('of-before@example.com'))
  beforeEach(() => rows("INSERT INTO settings VALUES ('of a hook', 'yes')"))
  afterEach(async () => assert.equal(await count('settings'), 3))

  let attempts = 0
  it('find the baseline, and so does each attempt', async function () {
    this.retries(2)
    assert.equal(await count('customers'), 3)
    assert.equal(await count('settings'), 3)
    assert.equal(await addCustomer('another@example.com'), 4)
    if (++attempts < 3) throw new Error('another attempt')
  })

  it('is skipped', function () {
    this.skip()
  })

  it('a copy of the database shows what this test wrote', async () => {
    assert.equal(await value('SELECT count(*)::int FROM settings'), 3)
  })
})
