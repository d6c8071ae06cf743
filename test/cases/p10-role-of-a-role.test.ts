import { expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn } from '../support/servers.ts'

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    it.each([false, true])(
      'a login role that switches to another role by its settings (superuser: %s)',
      async (isSuper) => {
        const name = `becomes_${isSuper}`
        const server = await asPlainRole(bare, name)
        await ask(bare, `DROP ROLE IF EXISTS crew_${isSuper}`)
        await ask(
          bare,
          `CREATE ROLE crew_${isSuper} CREATEDB; GRANT crew_${isSuper} TO ${name}; ALTER ROLE ${name} ${isSuper ? 'SUPERUSER' : 'NOSUPERUSER'};
         ALTER ROLE ${name} SET role = 'crew_${isSuper}'`,
        )
        try {
          const harness = await createHarness({
            server: existing(server.url),
            migrate: async ({ url }) =>
              void (await ask(
                { ...server, url },
                'CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1)',
              )),
          })
          const database = await harness.lease()
          const inside = { ...server, url: database.url }
          expect(await ask(inside, 'SELECT current_user AS is')).toEqual([{ is: `crew_${isSuper}` }])
          await ask(inside, 'INSERT INTO users VALUES (2)')
          expect((await database.reset()).dirty).toHaveLength(1)
          expect(await database.verify()).toEqual([])
          await database.erase('users', [1])
          await database.release()
          await harness.close()
          const made = await ask(bare, `SELECT datname FROM pg_database WHERE datname = '${database.name}'`)
          expect(made).toEqual([])
        } finally {
          await ask(bare, `ALTER ROLE ${name} RESET role; ALTER ROLE ${name} NOSUPERUSER`)
        }
      },
    )
  })
}
