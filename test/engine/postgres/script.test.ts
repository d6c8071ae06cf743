import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import { withDatabaseOn } from '../../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../../support/servers.ts'

/** A user's database on the server of the templates. */
const SHOP = 'shop_of_scripts'

describeOn('embedded:18', (server) => {
  describe('scripts', () => {
    it.each([
      ['DROP', `DROP DATABASE IF EXISTS ${SHOP}; CREATE DATABASE ${SHOP};`, 2],
      ['CREATE', `create database another_of_scripts`, 2],
      ['ALTER', `ALTER DATABASE ${SHOP} SET timezone = 'UTC'`, 2],
      ['comments', `/* a /* b */ */ -- c\nDROP /* d /* e */ */ -- f\n/**/DATABASE\n"${SHOP}"`, 3],
    ])('may not change other databases, and nothing of such a script runs: %s', (_, sql, line) =>
      withDatabaseOn(server, SHOP, async (shop) => {
        await ask(shop, 'CREATE TABLE orders ()')
        const migration = `DO $$ BEGIN EXECUTE format('COMMENT ON ROLE %I IS ''it ran''', current_user); END $$;\n${sql};`
        await expect(withMigration(server, migration, async () => {})).rejects.toMatchObject({
          code: 'baseline',
          message: expect.stringContaining(
            `00_init.sql:${line}: the script makes or changes a database of its own.`,
          ),
          next: expect.stringContaining('current_database()'),
        })
        expect(
          await ask(shop, `SELECT shobj_description(current_role::regrole, 'pg_authid') AS said`),
        ).toEqual([{ said: null }])
        expect(await ask(shop, 'SELECT * FROM orders')).toEqual([])
        const settings = `SELECT setconfig FROM pg_db_role_setting
          WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`
        expect(await ask(shop, settings)).toEqual([])
        expect(await ask(shop, `SELECT datname FROM pg_database WHERE datname LIKE 'another%'`)).toEqual([])
      }),
    )

    it('may mention them', () =>
      withMigration(
        server,
        `CREATE TABLE database (drop text DEFAULT 'DROP DATABASE x;'); /* DROP DATABASE x; */ -- DROP DATABASE x;
         CREATE FUNCTION database() RETURNS text LANGUAGE sql AS $$ SELECT 'a;'; $$;
         CREATE FUNCTION drop() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
         ALTER TABLE database RENAME TO databases;`,
        async (database) => {
          expect(await ask(database, 'SELECT drop FROM databases WHERE database() = drop')).toEqual([])
        },
      ))

    it('may set options of their own database, which every clone has too', () =>
      withMigration(
        server,
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$;`,
        async (database) => {
          expect(await ask(database, 'SHOW timezone')).toEqual([{ TimeZone: 'Asia/Tokyo' }])
        },
      ))
  })
})

async function withMigration(
  server: ServerAtHand,
  sql: string,
  body: (database: ServerAtHand) => Promise<void>,
): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), 'afresh-script-'))
  try {
    writeFileSync(join(cwd, '00_init.sql'), sql)
    await using harness = await createHarness({ server: existing(server.url), migrate: '*.sql', cwd })
    await using database = await harness.lease()
    await body({ ...server, url: database.url })
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}
