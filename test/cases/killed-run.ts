/** The process that `g3-killed.test.ts` kills: it creates and drops databases in a loop. */
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'

const [url = '', engine = '', no = ''] = process.argv.slice(2)
process.send?.('begun')
for (let round = 0; ; round++) {
  const harness = await createHarness({
    server: existing(url),
    project: 'killed',
    fingerprint: `${no} ${round}`,
    strategy: 'delete',
    migrate: async (template) =>
      void (await ask({ engine, url: template.url }, 'CREATE TABLE t (id int PRIMARY KEY)')),
  })
  const testDatabase = await harness.lease()
  const two = await harness.lease({ slot: 2 })
  await ask({ engine, url: testDatabase.url }, 'INSERT INTO t VALUES (1)')
  await testDatabase.reset()
  await two.release()
  await testDatabase.release()
  await harness.close()
}
