import { describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { withLease } from './support.ts'

const SCHEMA = `CREATE TABLE gone (id int PRIMARY KEY);
  CREATE TABLE high (id int AUTO_INCREMENT PRIMARY KEY, v int) AUTO_INCREMENT = 1000;
  CREATE TRIGGER noted AFTER DELETE ON high FOR EACH ROW INSERT IGNORE INTO gone VALUES (OLD.id);
  CREATE TABLE filled (id int AUTO_INCREMENT PRIMARY KEY, v int); INSERT INTO filled (v) VALUES (1), (2);
  CREATE TRIGGER filled_gone BEFORE DELETE ON filled FOR EACH ROW BEGIN INSERT IGNORE INTO gone VALUES (OLD.id); END;
  CREATE TRIGGER filled_new AFTER INSERT ON filled FOR EACH ROW INSERT IGNORE INTO gone VALUES (NEW.id + 100)`

const COUNTERS = `SELECT table_name AS t, auto_increment AS next FROM information_schema.tables
  WHERE table_schema = DATABASE() AND auto_increment IS NOT NULL ORDER BY 1`

for (const id of ['mysql:9.7', 'mariadb:11.8-stock'] as const) {
  describeOn(id, (server) => {
    describe.each(['truncate', 'delete', 'auto'] as const)('with strategy %s', (strategy) => {
      describe.each(['scan', 'auto'] as const)('and detector %s', (detector) => {
        it.each(['restart', 'spread', 'keep'] as const)(
          'a counter keeps its value although low ids were inserted: sequences %s',
          (sequences) =>
            withLease(server, SCHEMA, { strategy, detector, sequences }, async (database, run) => {
              const counters = async () => JSON.stringify(await run(COUNTERS))
              const before = await counters()
              for (const write of [
                'INSERT INTO high VALUES (5, 1)',
                'INSERT INTO high VALUES (1, 1), (7, 2); DELETE FROM high WHERE id = 1',
                'INSERT INTO high VALUES (3, 1); DELETE FROM high; INSERT INTO high VALUES (4, 1)',
                'INSERT INTO high VALUES (3, 1); DELETE FROM filled',
              ]) {
                await run(write)
                await database.reset()
                expect(await counters(), write).toBe(before)
                expect(await database.verify(), write).toEqual([])
              }
              if (sequences === 'keep') return
              await run('INSERT INTO high (v) VALUES (1), (2); INSERT INTO filled (v) VALUES (7)')
              await database.reset()
              expect(await counters()).toBe(before)
            }),
        )
      })
    })

    it("a trigger's text is the same in a clone and after each reset", async () => {
      const made: string[] = []
      const names = ['noted', 'filled_gone', 'filled_new']
      const texts = async (run: (sql: string) => Promise<Record<string, unknown>[]>) => {
        const shown: string[] = []
        for (const name of names) {
          const [row] = await run(`SHOW CREATE TRIGGER ${name}`)
          shown.push(String(row?.['SQL Original Statement']))
        }
        return shown
      }
      await withLease(server, SCHEMA, { detector: 'scan' }, async (database, run) => {
        // Without a trailing semicolon, like a trigger that is created alone in its message.
        expect((await texts(run)).join('\n')).not.toMatch(/;\s*$/m)
        made.push(...(await texts(run)))
        for (const write of [
          'DELETE FROM filled',
          'INSERT INTO filled (v) VALUES (8)',
          'UPDATE filled SET v = 9',
        ]) {
          await run(write)
          await database.reset()
          expect(await texts(run), write).toEqual(made)
          expect(await database.verify(), write).toEqual([])
        }
        expect(await ask({ ...server, url: database.url }, 'SELECT id, v FROM filled ORDER BY id')).toEqual([
          { id: 1, v: 1 },
          { id: 2, v: 2 },
        ])
      })
    })
  })
}
