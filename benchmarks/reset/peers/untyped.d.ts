declare module 'knex-cleaner' {
  import type { Knex } from 'knex'

  const cleaner: { clean(knex: Knex): Promise<void> }
  export default cleaner
}
