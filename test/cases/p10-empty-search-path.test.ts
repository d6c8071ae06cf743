import { describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { adoptHere, inWay, POSTGRES_WAYS, withAttached, withLease } from './support.ts'

const setPath = (path: string) =>
  `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO %s', current_database(), $path$${path}$path$); END $$`

/** With a check that calls a function, which needs the path of a user's session. */
const SCHEMA = `
  CREATE SCHEMA "odd, ""name"""; CREATE TABLE "odd, ""name""".numbers (n int); INSERT INTO "odd, ""name""".numbers VALUES (1);
  CREATE FUNCTION public.is_fine(int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 > 0';
  CREATE TABLE public.t (id serial PRIMARY KEY, n int CHECK (public.is_fine(n)));
  INSERT INTO public.t (n) VALUES (1);`

describeOn('postgres:18', (bare) => {
  describe.each(POSTGRES_WAYS)('as a %s', (way) => {
    it.each([`''`, `'', public`, `"$user", public, ''`, `"odd, ""name""", '', public`])(
      'a search_path with an empty name hinders no reset: %s',
      async (path) => {
        const { server, options } = await inWay(bare, way)
        const schema = `${SCHEMA} ${setPath(path)}`
        await withLease(server, schema, options, async (database, run) => {
          await run('DELETE FROM public.t')
          expect((await database.reset()).dirty).toEqual(['t'])
          expect(await database.verify()).toEqual([])
        })
        const body: Parameters<typeof withAttached>[3] = async (database, run) => {
          await run('DELETE FROM public.t; INSERT INTO public.t (n) VALUES (5)')
          await database.reset()
          expect(await run('SELECT * FROM public.t')).toEqual([{ id: 1, n: 1 }])
        }
        await withAttached(server, schema, options, body, adoptHere)
      },
    )
  })
})
