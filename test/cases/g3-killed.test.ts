import { fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

/** `npm run soak:kills` sets more. */
const KILLS = Number(process.env.AFRESH_KILLS ?? 3)

const LIST = {
  postgres: `SELECT datname AS name FROM pg_database WHERE datname LIKE 'afresh%' ORDER BY 1`,
  mysql: `SELECT schema_name AS name FROM information_schema.schemata
    WHERE schema_name LIKE 'afresh%' AND schema_name <> 'afresh_registry' ORDER BY 1`,
}

async function databasesOn(server: ServerAtHand): Promise<string[]> {
  const rows = await ask(server, server.engine === 'postgres' ? LIST.postgres : LIST.mysql)
  return rows.map(({ name }) => String(name))
}

for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it(`after a kill at any moment, the next run works and leaves nothing behind (G3), ${KILLS} times`, {
      timeout: 120_000 + KILLS * 10_000,
    }, async () => {
      const before = await databasesOn(server)
      for (let kill = 0; kill < KILLS; kill++) {
        const child = fork(
          resolve(import.meta.dirname, 'killed-run.ts'),
          [server.url, server.engine, String(kill)],
          {
            execArgv: ['--import', 'jiti/register'],
            stdio: 'ignore',
          },
        )
        await once(child, 'message')
        const exit = once(child, 'exit')
        await new Promise((after) =>
          setTimeout(after, Math.random() * (server.engine === 'postgres' ? 700 : 1500)),
        )
        child.kill('SIGKILL')
        await exit
      }
      const survivor = await createHarness({
        server: existing(server.url),
        project: 'killed',
        migrate: async ({ url }) => void (await ask({ ...server, url }, 'CREATE TABLE t (id int)')),
      })
      const database = await survivor.lease()
      await database.reset()
      await database.release()
      await survivor.close()
      // A project keeps some of its templates.
      const left = (await databasesOn(server)).filter(
        (name) => !before.includes(name) && !/_t_[0-9a-f]{12}$/.test(name),
      )
      expect(left).toEqual([])
    })
  })
}
