import { afterAll } from 'vitest'
import { pool } from '../src/shop.js'

/** The clients of the application are the application's to close. */
afterAll(() => pool.end())
