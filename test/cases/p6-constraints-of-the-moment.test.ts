import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { adoptHere, inWay, POSTGRES_WAYS, withAttached } from './support.ts'

const PAST = `TIMESTAMP '2001-01-01'`

/** A fixture whose rows satisfied the constraints when they were loaded. */
const AGED = (validity: string) => `
  CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners VALUES (1);
  CREATE FUNCTION today() RETURNS date STABLE LANGUAGE sql AS 'SELECT CURRENT_DATE';
  CREATE DOMAIN upcoming AS timestamp;
  CREATE TABLE slots (id int PRIMARY KEY, owner int REFERENCES owners, ends timestamp, day date, next upcoming);
  INSERT INTO slots VALUES (1, 1, ${PAST}, ${PAST}, ${PAST});
  CREATE TABLE fine (id int PRIMARY KEY, made timestamp DEFAULT now() CHECK (made <= now()), n int CHECK (n > 0));
  INSERT INTO fine (id, n) VALUES (1, 1);
  CREATE TABLE blank (id int PRIMARY KEY, ends timestamp CHECK (ends > now()));
  ${
    validity === 'NOT VALID'
      ? `ALTER TABLE slots ADD CONSTRAINT later CHECK (ends > now()) NOT VALID;
         ALTER TABLE slots ADD CONSTRAINT soon CHECK (day >= today()) NOT VALID;
         ALTER DOMAIN upcoming ADD CONSTRAINT ahead CHECK (VALUE > now()) NOT VALID`
      : `ALTER TABLE slots ADD CONSTRAINT later CHECK (ends > now() - age(now(), 'epoch') * start());
         ALTER TABLE slots ADD CONSTRAINT soon CHECK (day >= today() - 40000 * start());
         ALTER DOMAIN upcoming ADD CONSTRAINT ahead CHECK (VALUE > now() - INTERVAL '100 years' * start());
         ${NOW_IS_LATER}`
  }`

/** Simulates the passing of time: the checks pass while `start()` returns 1, and fail with 0. */
const START = `CREATE FUNCTION start() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';`
const NOW_IS_LATER = `CREATE OR REPLACE FUNCTION start() RETURNS int STABLE LANGUAGE sql AS 'SELECT 0'`

const TODAY = `${START} ${AGED('')}`
const REFUSED = ['ahead', 'later', 'soon'].map((name) =>
  expect.stringMatching(`"slots" has rows that its constraint "${name}" refuses by now`),
)

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    describe.each(POSTGRES_WAYS)('as a %s', (way) => {
      it('rows that constraints reject now cause warnings at start, by name', async () => {
        const { server, options } = await inWay(bare, way)
        await using harness = await createHarness({
          ...options,
          server: existing(server.url),
          migrate: async ({ url }) => void (await ask({ ...server, url }, TODAY)),
        })
        expect(harness.warnings).toEqual(REFUSED)
        expect(harness.warnings[0]).toMatch(/declare the constraint NOT VALID/)
        await using database = await harness.lease()
        const inside = { ...server, url: database.url }
        await ask(inside, 'INSERT INTO fine (id, n) VALUES (2, 1)')
        expect((await database.reset()).notes).toEqual([])
        await ask(inside, 'DELETE FROM slots')
        expect((await database.reset()).notes).toEqual([
          expect.stringMatching(/check constraint.*recreated from its template/),
        ])
        expect(await ask(inside, 'SELECT count(*) FROM slots')).toEqual([{ count: '1' }])
        await expect(withAttached(server, TODAY, options, async () => {}, adoptHere)).rejects.toMatchObject({
          code: 'plan',
          message: expect.stringMatching(
            /No reset could put baseline rows back: "slots".*"ahead".*"later".*"soon"/,
          ),
        })
        const keep = { ...options, keep: ['slots'] }
        await withAttached(server, TODAY, keep, async (attached) => void (await attached.reset()), adoptHere)
      })

      it('a NOT VALID constraint does not prevent restoring rows', async () => {
        const { server, options } = await inWay(bare, way)
        await withAttached(
          server,
          AGED('NOT VALID'),
          options,
          async (database, run) => {
            await run('DELETE FROM slots; DELETE FROM owners')
            expect((await database.reset()).notes).toEqual([])
            expect(await run('SELECT count(*) FROM slots')).toEqual([{ count: '1' }])
            await expect(run(`INSERT INTO slots (id, ends) VALUES (2, ${PAST})`)).rejects.toThrow(/"later"/)
            expect(await database.verify()).toEqual([])
          },
          adoptHere,
        )
      })
    })
  })
}
