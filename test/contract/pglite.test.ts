import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe } from 'vitest'
import { contract } from './contract.ts'
import { onPglite } from './targets.ts'

describe('pglite', () => {
  let instance: PGlite
  beforeAll(async () => {
    instance = await PGlite.create()
  })
  afterAll(() => instance.close())
  contract(onPglite(() => instance))
})
