import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { Bench, onEachServer } from './support.ts'

const SCRIPT = `CREATE TABLE log (n INT);
  CREATE EVENT once ON SCHEDULE AT '2037-01-01 00:00:00' DO DELETE FROM log;
  CREATE EVENT off ON SCHEDULE EVERY 1 HOUR DISABLE DO DELETE FROM log;
  SET NAMES latin1;
  SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT', time_zone = '+05:00';
  CREATE DEFINER = 'the "keeper"'@'10.%' EVENT "a \`b\`" ON SCHEDULE EVERY 1 SECOND STARTS '2036-01-01 12:00:00'
    COMMENT 'kept' DO INSERT INTO "log" VALUES (LENGTH('ä'));`

describe('events', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
      await bench.admin.query(`CREATE USER IF NOT EXISTS 'the "keeper"'@'10.%'`)
    })
    afterAll(async () => {
      await bench.admin.query(`DROP USER 'the "keeper"'@'10.%'`)
      await bench.close()
    })

    it('are disabled in a template and its clones, and otherwise unchanged', async () => {
      const template = await bench.database(SCRIPT)
      const before = await events(template.connection)
      expect(before.map(({ status }) => status)).toEqual(['ENABLED', 'DISABLED', 'ENABLED'])
      const session = await bench.admin.query(SESSION)
      await bench.databases.freeze(bench.admin, template.name)
      const disabled = before.map((event) => ({ ...event, status: 'DISABLED' }))
      expect(await events(template.connection)).toEqual(disabled)
      expect(await bench.admin.query(SESSION)).toEqual(session)
      const clone = await bench.clone(template.name)
      expect((await events(clone.connection)).map(({ status }) => status)).toEqual([
        'DISABLED',
        'DISABLED',
        'DISABLED',
      ])
    })

    it.runIf(server.engine === 'mariadb')('keep a role as their definer', async () => {
      const { admin } = bench
      await admin.query('CREATE ROLE keepers; GRANT ALL ON *.* TO keepers')
      try {
        const { name, connection } = await bench.database(
          'CREATE DEFINER = keepers EVENT e ON SCHEDULE EVERY 1 HOUR DO SELECT 1;',
        )
        const [before] = await events(connection)
        await bench.databases.freeze(admin, name)
        expect(await events(connection)).toEqual([{ ...before, status: 'DISABLED' }])
      } finally {
        await admin.query('DROP ROLE keepers')
      }
    })

    it('write nothing into a frozen template', async () => {
      const [{ scheduler } = {}] = await bench.admin.query('SELECT @@global.event_scheduler AS scheduler')
      await bench.admin.query('SET GLOBAL event_scheduler = ON')
      try {
        const { name, connection } = await bench.database(
          'CREATE TABLE log (n INT); CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO log VALUES (1);',
        )
        await bench.databases.freeze(bench.admin, name)
        await connection.query('DO SLEEP(0.5)')
        const count = await connection.query('SELECT COUNT(*) AS n FROM log')
        await connection.query('DO SLEEP(2)')
        expect(await connection.query('SELECT COUNT(*) AS n FROM log')).toEqual(count)
      } finally {
        await bench.admin.query('SET GLOBAL event_scheduler = ?', [scheduler])
      }
    })

    it('report the one that cannot be disabled', async () => {
      const template = await bench.database(SCRIPT)
      await bench.admin.query(`CREATE USER IF NOT EXISTS modest_events IDENTIFIED BY 'modest';
        GRANT ALL ON \`afresh\\_%\`.* TO modest_events`)
      const url = Object.assign(new URL(bench.urlOf('afresh_registry')), {
        username: 'modest_events',
        password: 'modest',
      })
      const modest = await bench.engine.connect(url.toString())
      await expect(bench.databases.freeze(modest, template.name)).rejects.toThrow(
        /The event "a `b`" .*denied/,
      )
      await modest.close()
      await bench.admin.query('DROP USER modest_events')
    })
  })
})

const SESSION = 'SELECT @@sql_mode, @@time_zone, @@character_set_client, @@collation_connection'

async function events(connection: Connection) {
  return connection.query(
    `SELECT event_name AS name, definer AS definer, time_zone AS zone, event_definition AS body, event_type AS type,
       execute_at AS at, interval_value AS every, starts AS starts, ends AS ends, status AS status, sql_mode AS mode,
       on_completion AS completion, event_comment AS comment, character_set_client AS charset,
       collation_connection AS collation, database_collation AS own
     FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY event_name DESC`,
  )
}
