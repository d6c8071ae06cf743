import { describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn, engines } from '../support/servers.ts'

describe.each(engines)('$id', ({ id }) => {
  describeOn(id, (server) => {
    it('responds to its administrator', async () => {
      expect(await ask(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    })
  })
})
