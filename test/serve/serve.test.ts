import { Agent } from 'node:http'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BodyName, bodyAs } from '../../src/runner/serve/bodies.ts'
import type { ServedDatabases } from '../../src/runner/serve/serve-databases.ts'
import { ask } from '../support/ask.ts'
import { hold } from '../support/hold.ts'
import { describeOn } from '../support/servers.ts'
import { call, covered, openApi, problemsOf } from './described.ts'
import { databasesOf, Project } from './project.ts'

let project: Project
beforeAll(() => {
  project = new Project()
})
afterAll(() => project.remove())

for (const id of ['embedded:18', 'mysql:9.7'] as const) {
  describeOn(id, (server) => {
    let service: ServedDatabases
    beforeAll(async () => {
      service = await project.serve(server)
    })
    afterAll(() => service.close())

    const leases = async () => (await call(service, 'GET', '/v1/status')).body.leases
    const take = async (body: object = {}, agent?: Agent) => {
      const { status, body: lease } = await call(service, 'POST', '/v1/leases', body, agent)
      expect(status).toBe(201)
      const run = (sql: string) => ask({ ...server, url: lease.url }, sql)
      const act = (action: string, given?: object) =>
        call(service, 'POST', `/v1/leases/${lease.id}/${action}`, given)
      return { ...lease, run, act, release: () => call(service, 'DELETE', `/v1/leases/${lease.id}`) }
    }

    it('leases, resets and releases, and says who wrote what', async () => {
      const { body: before } = await call(service, 'GET', '/v1/events')
      const lease = await take({ client: 'gw0' })
      expect(lease).toMatchObject({ worker: 1, client: 'gw0', env: { DATABASE_URL: lease.url } })
      await lease.run(`INSERT INTO note VALUES (3, 1)`)
      await lease.run(`UPDATE author SET name = 'Eve'`)
      const { status, body: report } = await lease.act('reset', { test: 'test_notes.py::test_add' })
      expect([status, report.writes.length]).toEqual([200, 2])
      expect(await lease.run('SELECT id FROM note')).toHaveLength(2)
      expect((await lease.act('verify')).body).toEqual({ differences: [] })
      expect(await leases()).toMatchObject([{ id: lease.id, client: 'gw0', resets: 1 }])
      expect((await lease.release()).status).toBe(204)
      expect(await leases()).toEqual([])
      const { body } = await call(service, 'GET', `/v1/events?after=${before.last}`)
      expect(body.events).toMatchObject([
        { kind: 'lease', client: 'gw0', worker: 1 },
        { kind: 'reset', client: 'gw0', test: 'test_notes.py::test_add', writes: report.writes },
        { kind: 'release', lease: lease.id },
      ])
      const [note] = report.writes.filter(({ table }: { table: string }) => /note/.test(table))
      expect([null, 1]).toContain(note.inserted)
    })

    it('keeps snapshots, loads fixtures, verifies and erases', async () => {
      const lease = await take()
      expect((await lease.act('load', { set: 'more' })).status).toBe(200)
      expect(await lease.run('SELECT id FROM note')).toHaveLength(4)
      expect((await lease.act('snapshot', { name: 'loaded' })).status).toBe(200)
      const { body: dry } = await lease.act('erase', {
        table: 'author',
        where: { id: 1 },
        cascade: 'follow',
        dryRun: true,
      })
      expect(dry).toMatchObject({ dryRun: true, rows: 5 })
      const { body: erased } = await lease.act('erase', { table: 'note', where: { id: { gte: 50 } } })
      expect(erased).toMatchObject({ dryRun: false, rows: 2 })
      expect((await lease.act('restore', { name: 'loaded', test: 'a' })).status).toBe(200)
      expect(await lease.run('SELECT id FROM note')).toHaveLength(4)
      expect((await lease.act('verify')).body.differences).toHaveLength(1)
      expect((await lease.act('reset')).status).toBe(200)
      expect(await lease.run('SELECT id FROM note')).toHaveLength(2)
      await lease.release()
    })

    it('answers what cannot be done with the reason', async () => {
      const lease = await take()
      expect(await lease.act('load', { set: 'none' })).toMatchObject({
        status: 400,
        body: { error: { code: 'usage' } },
      })
      expect((await lease.act('restore', { name: 'none' })).status).toBe(400)
      const cascade = await lease.act('erase', { table: 'author', where: { id: 1 } })
      expect(cascade).toMatchObject({
        status: 422,
        body: { error: { code: 'erase', next: expect.any(String) } },
      })
      await lease.release()
      expect((await lease.act('reset')).status).toBe(404)
      expect((await lease.release()).status).toBe(404)
    })

    it('takes names and values as data, never as SQL', async () => {
      const lease = await take()
      const evil = `x'"\`; DROP TABLE note; --`
      for (const [action, body] of [
        ['erase', { table: evil, where: { id: 1 } }],
        ['erase', { table: 'note', where: { [evil]: 1 } }],
        ['erase', { table: 'note', where: { id: { texts: ['1 = 1'], values: [] } } }],
        ['erase', { table: 'note', where: { texts: ['1 = 1'], values: [] } }],
        ['erase', { table: 'note', where: {} }],
        ['load', { set: '../../etc/passwd' }],
        ['load', { set: '__proto__' }],
        ['restore', { name: evil }],
      ] as const) {
        const { status } = await lease.act(action, body)
        expect([status, action, body]).toEqual([400, action, body])
      }
      const { body: found } = await lease.act('erase', {
        table: 'author',
        where: { name: evil },
        cascade: 'follow',
      })
      expect(found.rows).toBe(0)
      expect((await lease.act('snapshot', { name: evil })).status).toBe(200)
      expect((await lease.act('verify')).body).toEqual({ differences: [] })
      await lease.release()
    })

    it('gives each lease a database of its own, and the same number the same database', async () => {
      const many = await Promise.all(Array.from({ length: 4 }, () => take()))
      expect(many.map(({ worker }) => worker).sort()).toEqual([1, 2, 3, 4])
      expect(new Set(many.map(({ url }) => url)).size).toBe(4)
      for (const { release } of many) await release()
      const third = await take({ worker: 3 })
      expect(third.url).toBe(many.find(({ worker }) => worker === 3)?.url)
      await third.run('INSERT INTO note VALUES (9, 1)')
      const waiting = take({ worker: 3 })
      await third.release()
      const again = await waiting
      expect(again.url).toBe(third.url)
      expect(await again.run('SELECT id FROM note')).toHaveLength(2)
      await again.release()
    })

    it('does the requests for one database one after the other', async () => {
      const lease = await take()
      const actions = ['verify', 'reset', 'verify', 'reset', 'verify', 'reset', 'verify', 'reset']
      const writer = lease.run('INSERT INTO note VALUES (7, 1)')
      const answers = await Promise.all(actions.map((action) => lease.act(action)))
      await writer
      expect(answers.map(({ status }) => status)).toEqual(actions.map(() => 200))
      const { body } = await lease.act('reset')
      const written = [...answers.map(({ body }) => body), body].flatMap(({ writes = [] }) => writes)
      expect(written).toHaveLength(1)
      await lease.release()
    })

    it('ends a lease with its connection, and what the client has left open', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const lease = await take({ endsWithConnection: true, worker: 5 }, agent)
      expect(lease.expiresAt).toBeNull()
      await lease.run('DELETE FROM note')
      const held = await hold({ ...server, url: lease.url }, `UPDATE author SET name = 'held'`)
      expect(await leases()).toHaveLength(1)
      agent.destroy()
      await expect.poll(leases).toEqual([])
      const next = await take({ worker: 5 })
      expect(next.url).toBe(lease.url)
      expect(await next.run('SELECT id FROM note')).toHaveLength(2)
      await expect(held.commit()).rejects.toThrow()
      expect(await next.run('SELECT name FROM author')).toEqual([{ name: 'Ada' }])
      await next.release()
      const { body } = await call(service, 'GET', '/v1/events')
      expect(body.events).toContainEqual(expect.objectContaining({ kind: 'disconnect', lease: lease.id }))
    })

    it('ends a lease after its time without a request, and renews it with each', async () => {
      const short = await take({ ttlSeconds: 1 })
      const long = await take({ ttlSeconds: 3_600 })
      await short.run('DELETE FROM note')
      expect((await short.act('verify')).status).toBe(200)
      await expect.poll(leases).toHaveLength(1)
      expect((await short.act('reset')).status).toBe(404)
      const next = await take({ worker: short.worker })
      expect(await next.run('SELECT id FROM note')).toHaveLength(2)
      const before = Date.parse(long.expiresAt)
      await long.act('reset')
      const [renewed] = (await leases()).filter((found: { id: string }) => found.id === long.id)
      expect(Date.parse(renewed.expiresAt)).toBeGreaterThan(before)
      await next.release()
      await long.release()
    })

    it('has done every request that it describes', async () => {
      await call(service, 'GET', '/v1/openapi.json')
      const operations = Object.entries(openApi.paths).flatMap(([path, item]) =>
        Object.keys(item).flatMap((method) =>
          method === 'parameters' ? [] : `${method.toUpperCase()} ${path}`,
        ),
      )
      const done = [...covered]
        .filter((entry) => / 20\d$/.test(entry))
        .map((entry) => entry.replace(/ \d+$/, ''))
      expect(operations.filter((operation) => !done.includes(operation))).toEqual([])
    })
  })
}

describeOn('embedded:18', (server) => {
  it('leaves no database, and no lease, when it ends in the middle', async () => {
    const service = await project.serve(server, { count: 2 })
    const { body: lease } = await call(service, 'POST', '/v1/leases')
    const reset = call(service, 'POST', `/v1/leases/${lease.id}/reset`).catch(() => {})
    await service.close()
    await reset
    expect(await databasesOf(server)).toEqual([])
  })
})

describe('docs/openapi.json', () => {
  it('is OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(openApi) })
    expect(errors).toBeUndefined()
    expect([valid, openApi.openapi]).toEqual([true, '3.1.0'])
  })

  const SCHEMAS: Readonly<Record<BodyName, string>> = {
    nothing: 'EmptyRequest',
    lease: 'LeaseRequest',
    test: 'TestRequest',
    snapshot: 'SnapshotRequest',
    restore: 'RestoreRequest',
    load: 'LoadRequest',
    erase: 'EraseRequest',
  }
  const VALUES = [
    undefined,
    null,
    '',
    'a',
    'x'.repeat(201),
    'x'.repeat(1_001),
    0,
    1,
    1.5,
    -1,
    256,
    257,
    86_400,
    86_401,
    true,
    [],
    ['a'],
    {},
    { a: 'cascade' },
    { a: 'b' },
    { column: 'c' },
    { column: 'c', value: {} },
    'error',
    'follow',
    'declared',
  ]
  const PROPERTIES = [
    'worker',
    'client',
    'ttlSeconds',
    'endsWithConnection',
    'test',
    'name',
    'set',
    'table',
    'where',
    'cascade',
    'onDelete',
    'dryRun',
    'max',
    'softDelete',
    'archive',
    'other',
  ]
  const VALID: Readonly<Partial<Record<BodyName, object>>> = {
    snapshot: { name: 'a' },
    restore: { name: 'a' },
    load: { set: 'a' },
    erase: { table: 'a', where: { id: 1 } },
  }

  it.each(Object.entries(SCHEMAS))('the service takes for `%s` what the document allows', (name, schema) => {
    const kind = name as BodyName
    const accepts = (body: unknown) => {
      try {
        bodyAs(kind, body)
        return true
      } catch {
        return false
      }
    }
    const bodies = PROPERTIES.flatMap((property) =>
      VALUES.map((value) => ({ ...VALID[kind], [property]: value })),
    )
    for (const body of [...bodies, {}, [], null, 'a', 1]) {
      const json: unknown = JSON.parse(JSON.stringify(body))
      const allowed = problemsOf({ $ref: `#/components/schemas/${schema}` }, json) === ''
      expect([json, accepts(json)]).toEqual([json, allowed])
    }
  })
})
