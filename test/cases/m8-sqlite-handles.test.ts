import { expect, it } from 'vitest'
import { attach } from '../../src/index.ts'
import { describeSqlite } from '../support/sqlite.ts'

describeSqlite(({ open }) => {
  const opened = () => {
    const handle = open(':memory:')
    handle.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1)')
    return handle
  }

  it('reports that tables of an attached database are not reset', async () => {
    const handle = opened()
    const database = await attach(handle)
    expect((await database.reset()).notes).toEqual([])
    handle.exec(`ATTACH ':memory:' AS other; CREATE TABLE other.b (id INTEGER)`)
    handle.exec('INSERT INTO a VALUES (2)')
    expect((await database.reset()).notes).toEqual([expect.stringMatching(/"other" are not reset/)])
    await database.release()
  })

  it('refuses a read-only handle, and reverts the pragmas that a test set', async () => {
    const handle = opened()
    handle.exec('PRAGMA query_only = ON')
    await expect(attach(handle)).rejects.toThrow(/query_only is on.*\n.*OFF/s)
    handle.exec('PRAGMA query_only = OFF')
    const database = await attach(handle)
    handle.exec('INSERT INTO a VALUES (2); PRAGMA query_only = ON')
    expect((await database.reset()).dirty).toEqual(['a'])
    handle.exec('INSERT INTO a VALUES (2)')
    await database.release()
  })
})
