import pg from 'pg'
import { test } from 'vitest'
import { count } from '../src/shop.js'

const leaked = new pg.Client({ connectionString: process.env.DATABASE_URL, application_name: 'the leak' })

test('leaves a transaction open', async () => {
  await leaked.connect()
  await leaked.query('BEGIN')
  await leaked.query('UPDATE settings SET name = name')
})

test('cannot have a fresh database', async () => {
  await count('settings')
})
