import { expect, it } from 'vitest'
import { adopt, attach } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeVariant } from '../support/variant-server.ts'
import { contract } from './contract.ts'
import { onServer } from './targets.ts'

for (const id of ['mysql:9.7-lowercase', 'mariadb:11.8-lowercase'] as const) {
  await describeVariant(id, (server) => {
    contract(onServer(server))

    it('has autocommit off, no sql_mode, and names in lower case', async () => {
      const [row] = await ask(
        server,
        'SELECT @@lower_case_table_names AS folds, @@global.autocommit AS commits, @@global.sql_mode AS mode',
      )
      expect(row).toEqual({ folds: 1, commits: 0, mode: '' })
    })

    it('treats names of databases and tables as the server does', async () => {
      const shop = { ...server, url: server.url.replace(/\/[^/]*$/, '/Shop') }
      await ask(server, 'CREATE DATABASE Shop')
      await ask(
        shop,
        `CREATE TABLE Users (id int AUTO_INCREMENT PRIMARY KEY); CREATE TABLE Log (n int); INSERT INTO Users VALUES (1), (2);
         CREATE TABLE Posts (user_id int, FOREIGN KEY (user_id) REFERENCES Users (id)); INSERT INTO Posts VALUES (1), (2); COMMIT`,
      )
      await adopt(shop.url, { confirm: async ({ confirmation }) => confirmation })
      await using database = await attach(shop.url, { keep: ['LOG'] })
      await ask(shop, 'INSERT INTO LOG VALUES (1); INSERT INTO users VALUES (3); COMMIT')
      expect((await database.reset()).dirty).toEqual(expect.arrayContaining(['users']))
      expect(await database.verify()).toEqual([])
      expect(await ask(shop, 'SELECT * FROM Log')).toHaveLength(1)
      const onDelete = { 'POSTS.user_id': 'set null' } as const
      expect(await database.erase('USERS', [1], { cascade: 'follow', onDelete })).toMatchObject({ rows: 1 })
      for (const rows of [1, 0])
        expect(await database.erase('Posts', { user_id: 2 }, { archive: true })).toMatchObject({ rows })
      expect(await ask(shop, 'SELECT * FROM Posts_archive')).toEqual([{ user_id: 2 }])
    })
  })
}
