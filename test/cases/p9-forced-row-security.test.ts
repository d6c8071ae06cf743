import { expect, it } from 'vitest'
import { adopt, attach, createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn } from '../support/servers.ts'

const FORCED = `CREATE TABLE tenants (id int PRIMARY KEY);
  INSERT INTO tenants VALUES (1), (2);
  ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
  ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
  CREATE POLICY own_rows ON tenants USING (id = 1)`

const HELD_AS_OWNER = {
  code: 'server',
  message: expect.stringMatching(
    /"tenants"[\s\S]*FORCE ROW LEVEL SECURITY, its owner is held[\s\S]*NO FORCE/,
  ),
}

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    const name = `case_p9_${process.env.VITEST_POOL_ID}`

    it('an owner restricted by forced row security is refused at the start, with the change to make (P9)', async () => {
      const plain = await asPlainRole(bare)
      const migrate = async ({ url }: { url: string }) =>
        void (await ask({ engine: 'postgres', url }, FORCED))
      await expect(
        (async () => {
          await using harness = await createHarness({ server: existing(plain.url), migrate, project: name })
          await harness.lease()
        })(),
      ).rejects.toMatchObject(HELD_AS_OWNER)

      await withDatabaseOn(bare, name, async (database) => {
        const own = { ...plain, url: plain.url.replace(/\/[^/]*$/, `/${name}`) }
        await ask(bare, `ALTER DATABASE ${name} OWNER TO plain_user`)
        await ask(database, 'GRANT ALL ON SCHEMA public TO plain_user')
        await ask(own, FORCED)
        await adopt(database.url, { confirm: async ({ confirmation }) => confirmation })
        await expect(attach(own.url)).rejects.toMatchObject(HELD_AS_OWNER)

        // The change that the message suggests is sufficient.
        await ask(own, 'ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY')
        await using attached = await attach(own.url)
        await ask(own, 'DELETE FROM tenants')
        expect((await attached.reset()).dirty).toEqual(['tenants'])
        expect(await ask(own, 'SELECT id FROM tenants ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }])
      })
    })
  })
}
