import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bench, onEachServer } from './support.ts'

describe('privileges', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    it('may come from a default role', async () => {
      const { admin, databases } = bench
      await admin.query(`CREATE ROLE afresh_makers; GRANT ALL ON \`afresh\\_%\`.* TO afresh_makers;
        CREATE USER by_role IDENTIFIED BY 'by_role'; GRANT afresh_makers TO by_role`)
      const facts = async () => {
        const url = Object.assign(new URL(bench.urlOf('information_schema')), {
          username: 'by_role',
          password: 'by_role',
        })
        const connection = await bench.engine.connect(url.toString())
        try {
          const { mayCreateDatabases } = await databases.facts(connection)
          const name = bench.newName('by_role')
          const made = await databases.create(connection, name).then(
            () => true,
            () => false,
          )
          return { mayCreateDatabases, made }
        } finally {
          await connection.close()
        }
      }
      try {
        expect(await facts()).toEqual({ mayCreateDatabases: false, made: false })
        await admin.query(`SET DEFAULT ROLE afresh_makers ${bench.isMariaDb ? 'FOR' : 'TO'} by_role`)
        expect(await facts()).toEqual({ mayCreateDatabases: true, made: true })
      } finally {
        await admin.query('DROP USER by_role; DROP ROLE afresh_makers')
      }
    })
  })
})
