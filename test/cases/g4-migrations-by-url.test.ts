import { describe, expect, it } from 'vitest'
import { createHarness, existing, type HarnessOptions } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'

const HOSTILE = [
  'DROP TABLE afresh_shop.users',
  'DELETE FROM afresh_shop.users',
  'USE afresh_shop; INSERT INTO users VALUES (9)',
  "PREPARE s FROM 'DROP DATABASE afresh_shop'; EXECUTE s",
  'CREATE TRIGGER tr AFTER INSERT ON own FOR EACH ROW DELETE FROM afresh_shop.users; INSERT INTO own VALUES (1)',
]

const PROGRAMS = `CREATE TABLE own (id int PRIMARY KEY, v int);
  CREATE TRIGGER stamp BEFORE INSERT ON own FOR EACH ROW SET NEW.v = 7;
  CREATE FUNCTION seven() RETURNS INT DETERMINISTIC RETURN 7;
  CREATE DEFINER = root@localhost VIEW seen AS SELECT id FROM own;
  CREATE DEFINER = root@localhost PROCEDURE nothing() SELECT 1`

/** A migration tool: a mysql2 client that connects by DATABASE_URL. */
const command = (sql: string) =>
  `node -e "require('mysql2/promise').createConnection({ uri: process.env.DATABASE_URL.replace(/^mariadb/, 'mysql'), multipleStatements: true })
    .then(async (client) => { await client.query(Buffer.from('${Buffer.from(sql).toString('hex')}', 'hex').toString()); await client.end() })"`.replaceAll(
    '\n',
    ' ',
  )

for (const id of ['mysql:9.7', 'mysql:9.7-stock', 'mariadb:11.8', 'mariadb:11.8-stock'] as const) {
  describeOn(id, (server) => {
    describe.each([
      [
        'function',
        (sql: string): HarnessOptions['migrate'] =>
          async ({ url }) =>
            void (await ask({ ...server, url }, sql)),
      ],
      ['command', command],
    ] as const)('a migration that is a %s', (_, migrate) => {
      const harness = (sql: string) =>
        createHarness({ server: existing(server.url), migrate: migrate(sql) ?? '' })

      it('cannot change another database', () =>
        withDatabaseOn(server, 'afresh_shop', async (shop) => {
          await ask(shop, 'CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1)')
          for (const sql of HOSTILE) {
            await expect(harness(`CREATE TABLE own (id int PRIMARY KEY); ${sql}`), sql).rejects.toMatchObject(
              {
                code: 'baseline',
                message: expect.stringMatching(/denied/i),
              },
            )
            expect(await ask(shop, 'SELECT id FROM users'), sql).toEqual([{ id: 1 }])
          }
        }))

      it.each([
        ['SELECT, INSERT, DELETE, DROP, CREATE, ALTER ON *.*', /DELETE, DROP, INSERT on \*\.\*/],
        ['ALL ON shop_g4.*', /DROP.* on shop_g4\.\*/],
        ['USAGE ON *.*', undefined],
      ] as const)(
        'is named in a warning if it may write elsewhere and no account may be created: %s',
        async (right, says) => {
          const url = server.url.replace(/\/\/[^@]*@/, '//limited:pw@').replace(/\/[^/]*$/, '/')
          await ask(
            server,
            `DROP USER IF EXISTS limited; CREATE USER limited IDENTIFIED BY 'pw';
           GRANT ALL ON \`afresh\\_%\`.* TO limited; GRANT ${right} TO limited`,
          )
          try {
            await using made = await createHarness({
              server: existing(url),
              migrate: migrate('CREATE TABLE own (id int PRIMARY KEY)') ?? '',
            })
            expect(made.warnings).toEqual(says === undefined ? [] : [expect.stringMatching(says)])
          } finally {
            await ask(server, 'DROP USER limited')
          }
        },
      )

      it('creates routines owned by the user or by the definer that they name, and leaves no account', async () => {
        await using made = await harness(PROGRAMS)
        expect(made.warnings).toEqual([])
        await using database = await made.lease()
        const inside = { ...server, url: database.url }
        await ask(inside, 'INSERT INTO own (id) VALUES (1)')
        expect(await ask(inside, 'SELECT id, v, seven() AS seven FROM own')).toEqual([
          { id: 1, v: 7, seven: 7 },
        ])
        const definers = await ask(
          inside,
          `SELECT routine_name AS name, definer AS definer FROM information_schema.routines WHERE routine_schema = DATABASE()
           UNION ALL SELECT trigger_name, definer FROM information_schema.triggers WHERE trigger_schema = DATABASE()
           UNION ALL SELECT table_name, definer FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY 1`,
        )
        expect(definers).toEqual([
          { name: 'nothing', definer: 'root@localhost' },
          { name: 'seen', definer: 'root@localhost' },
          { name: 'seven', definer: 'root@%' },
          { name: 'stamp', definer: 'root@%' },
        ])
        expect(
          await ask(server, "SELECT user FROM mysql.user WHERE user LIKE 'afresh\\_script\\_%'"),
        ).toEqual([])
      })
    })
  })
}
