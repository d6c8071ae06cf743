import { statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseListenAddress } from '../../src/runner/serve/listen-address.ts'
import type { ServedDatabases } from '../../src/runner/serve/serve-databases.ts'
import { describeOn } from '../support/servers.ts'
import { call, openApi, send } from './described.ts'
import { Project } from './project.ts'

let project: Project
beforeAll(() => {
  project = new Project()
})
afterAll(() => project.remove())

/** Sends bytes as they are; everything that comes back until the service closes, or `until` is there. */
function raw(server: string, text: string | Buffer, until = ''): Promise<string> {
  const { hostname, port } = new URL(server)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let received = ''
    const finish = () => {
      socket.destroy()
      resolve(received)
    }
    socket.on('data', (chunk) => {
      received += chunk
      if (until !== '' && received.includes(until)) finish()
    })
    socket.once('close', finish)
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') finish()
      else reject(error)
    })
    socket.write(text)
  })
}

describeOn('embedded:18', (server) => {
  let service: ServedDatabases
  let lease: { readonly id: string }
  beforeAll(async () => {
    service = await project.serve(server)
    lease = (await call(service, 'POST', '/v1/leases', { client: 'victim' })).body
  })
  afterAll(() => service.close())

  /** Nothing was done to any database, and the service works. */
  const isUntouched = async () => {
    expect((await call(service, 'GET', '/v1/events')).body.events).toMatchObject([{ kind: 'lease' }])
    expect((await call(service, 'GET', '/v1/status')).body.leases).toMatchObject([
      { id: lease.id, resets: 0 },
    ])
  }

  it('needs the token for every request', async () => {
    const paths = Object.entries(openApi.paths).flatMap(([path, item]) =>
      Object.keys(item).flatMap((method) =>
        method === 'parameters' ? [] : [[method.toUpperCase(), path.replace('{id}', lease.id)] as const],
      ),
    )
    expect(paths.length).toBeGreaterThanOrEqual(11)
    const others = [
      ['OPTIONS', '/v1/leases'],
      ['GET', '/'],
      ['HEAD', '/v1/status'],
      ['TRACE', '/v1/status'],
    ] as const
    for (const [method, path] of [...paths, ...others]) {
      for (const token of [
        undefined,
        '',
        'x',
        `${service.token}x`,
        service.token.slice(0, -1),
        service.token.toUpperCase(),
      ]) {
        const { status, body } = await send(service.server, { method, path, token })
        expect([method, path, token, status]).toEqual([method, path, token, 401])
        if (method !== 'HEAD') expect(body.error.code).toBe('unauthorized')
      }
    }
    const basic = { authorization: `Basic ${Buffer.from(`x:${service.token}`).toString('base64')}` }
    expect((await send(service.server, { method: 'GET', path: '/v1/status', headers: basic })).status).toBe(
      401,
    )
    const inQuery = await send(service.server, { method: 'GET', path: `/v1/status?token=${service.token}` })
    expect(inQuery.status).toBe(401)
    await isUntouched()
  })

  it.each([
    ['a name that leads here', { host: 'evil.example' }],
    ['a name with the port', { host: 'evil.example:80' }],
    ['a name that ends like this machine', { host: 'localhost.evil.example' }],
    ['another address', { host: '10.0.0.1' }],
    ['all addresses', { host: '0.0.0.0' }],
    ['a page', { origin: 'https://evil.example' }],
    ['a file', { origin: 'null' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['an empty origin', { origin: '' }],
  ])('refuses %s, even with the token', async (_, headers) => {
    const { token } = service
    for (const [method, path] of [
      ['POST', `/v1/leases/${lease.id}/reset`],
      ['GET', '/v1/status'],
    ] as const) {
      const { status, body } = await send(service.server, { method, path, token, headers })
      expect([status, body.error.code]).toEqual([403, 'forbidden'])
    }
    await isUntouched()
  })

  it('takes the names of this machine', async () => {
    for (const host of ['localhost', 'localhost:1', '127.0.0.1', '[::1]:80', 'LocalHost']) {
      const headers = { host }
      expect(
        (await send(service.server, { method: 'GET', path: '/v1/status', token: service.token, headers }))
          .status,
      ).toBe(200)
    }
  })

  it('has nothing at any other path', async () => {
    const { token } = service
    for (const path of [
      ...[
        '/',
        '/v1',
        '/v1/',
        '//v1/status',
        '/v1//status',
        '/v1/status/',
        '/v2/status',
        '/V1/status',
        '/v1/status?x=1',
      ],
      ...[
        '/v1/../v1/status',
        '/v1/./status',
        '/v1/%73tatus',
        '/v1/status%00',
        '/v1/status;x',
        '/v1/events?after=x',
      ],
      ...[
        '/../../etc/passwd',
        '/v1/openapi.json/../../../package.json',
        '/v1/leases/../status',
        '/v1/status?after=1',
      ],
      `/v1/leases/${lease.id}/`,
      `/v1/leases/${lease.id.toUpperCase()}/reset`.replace(/[A-F]/, 'G'),
      `/v1/leases/${lease.id}/reset/../reset`,
      `/v1/leases/${lease.id}%2freset`,
      '/v1/leases/constructor/reset',
      '/v1/leases/__proto__/reset',
    ]) {
      const { status, body } = await send(service.server, { method: 'POST', path, token })
      expect([path, status, body.error.code]).toEqual([path, 404, 'not-found'])
    }
    const absolute = `GET http://127.0.0.1/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`
    expect(await raw(service.server, absolute)).toMatch(/^HTTP\/1\.1 404 /)
    for (const [method, path] of [
      ['GET', '/v1/leases'],
      ['PUT', '/v1/leases'],
      ['POST', '/v1/status'],
      ['DELETE', `/v1/leases/${lease.id}/reset`],
    ] as const) {
      expect((await send(service.server, { method, path, token })).status).toBe(405)
    }
    await isUntouched()
  })

  it('reads no body that is too long, is no JSON, or claims to be something else', async () => {
    const { token } = service
    const path = `/v1/leases/${lease.id}/reset`
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n`
    const json = `${head}Content-Type: application/json\r\n`
    expect(await raw(service.server, `${json}Content-Length: 99999999999\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 413 [\s\S]*Connection: close/i,
    )
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    expect(
      await raw(service.server, `${json}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`, '413'),
    ).toContain('413')
    // Whoever asks first is not told to go on.
    const asks = 'Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n'
    expect(await raw(service.server, `${json}${asks}`)).toMatch(/^HTTP\/1\.1 413 /)
    expect(await raw(service.server, `${json.replace(token, 'wrong')}${asks}`)).toMatch(/^HTTP\/1\.1 401 /)
    for (const [type, text, wanted] of [
      ['application/x-www-form-urlencoded', 'a=b', 415],
      ['text/plain', '{}', 415],
      ['application/json-patch', '{}', 415],
      ['application/json', '{', 400],
      ['application/json', `${'['.repeat(100_000)}`, 400],
      ['application/json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
      ['application/json', '{"test": 1}', 400],
      ['application/json', '{"__proto__": {"test": "x"}}', 400],
      ['application/json', '{"constructor": 1}', 400],
    ] as const) {
      const body = `${head}Content-Type: ${type}\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`
      const answer = await raw(service.server, body)
      expect([type, text.slice(0, 40), answer.slice(0, 13)]).toEqual([
        type,
        text.slice(0, 40),
        `HTTP/1.1 ${wanted} `,
      ])
    }
    const bytes = Buffer.concat([
      Buffer.from(`${json}Connection: close\r\nContent-Length: 13\r\n\r\n{"test": "`),
      Buffer.from([0xff, 0x22, 0x7d]),
    ])
    expect(await raw(service.server, bytes)).toMatch(/^HTTP\/1\.1 400 /)
    await isUntouched()
  })

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    [
      'two lengths',
      'POST /v1/leases HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
    ],
    [
      'a length beside chunks',
      'POST /v1/leases HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no host', 'GET /v1/status HTTP/1.1\r\n\r\n'],
    ['a tunnel', 'CONNECT 127.0.0.1:5432 HTTP/1.1\r\nHost: 127.0.0.1:5432\r\n\r\n'],
    ['a huge head', `GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('refuses %s', async (_, text) => {
    expect(await raw(service.server, text)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
    await isUntouched()
  })

  it('bears a thousand connections of strangers', async () => {
    const { hostname, port } = new URL(service.server)
    const sockets = Array.from({ length: 1_000 }, () => connect(Number(port), hostname).on('error', () => {}))
    const isOpen = (socket: Socket) => !socket.destroyed && socket.readyState === 'open'
    await expect
      .poll(() => sockets.filter((socket) => socket.destroyed).length, { timeout: 120_000 })
      .toBeGreaterThanOrEqual(1_000 - 512)
    // Without the token, none may stay.
    await expect.poll(() => sockets.filter(isOpen).length, { timeout: 120_000 }).toBe(0)
    await isUntouched()
  })

  it('lets nobody wait with half a request', async () => {
    const started = raw(service.server, 'GET /v1/status HTTP/1.1\r\nHost: localhost\r\n')
    expect(await started).toMatch(/^(HTTP\/1\.1 408 |$)/)
    await isUntouched()
  })

  it('listens on this machine only', async () => {
    const { port } = new URL(service.server)
    const others = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.filter(({ internal, family }) => !internal && family === 'IPv4'),
    )
    for (const { address } of others) {
      const refused = send(`http://${address}:${port}`, {
        method: 'GET',
        path: '/v1/status',
        token: service.token,
      })
      await expect(refused).rejects.toThrow(/ECONNREFUSED/)
    }
  })

  it('serves a Unix socket that only its user can open', async () => {
    const path = join(project.folder, 's')
    const own = await project.serve(server, { listen: { kind: 'socket', path } })
    expect(own.server).toBe(`unix:${path}`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect((await call(own, 'POST', '/v1/leases')).status).toBe(201)
    expect((await send(own.server, { method: 'GET', path: '/v1/status' })).status).toBe(401)
    const second = project.serve(server, { listen: { kind: 'socket', path } })
    await expect(second).rejects.toThrow(/cannot listen/)
    await own.close()
  })

  it('serves other addresses when asked, under the names that were allowed', async () => {
    const listen = parseListenAddress('0.0.0.0:0')
    const own = await project.serve(server, { listen, allowedHosts: ['ci-host'] })
    const at = (host: string) =>
      send(own.server, { method: 'GET', path: '/v1/status', token: own.token, headers: { host } })
    expect((await at('ci-host:80')).status).toBe(200)
    expect((await at('10.1.2.3:80')).status).toBe(200)
    expect((await at('evil.example')).status).toBe(403)
    await own.close()
  })
})

describe('an address to listen on', () => {
  it.each([
    ['8080', { kind: 'tcp', host: '127.0.0.1', port: 8080 }],
    ['localhost:1', { kind: 'tcp', host: 'localhost', port: 1 }],
    ['0.0.0.0:80', { kind: 'tcp', host: '0.0.0.0', port: 80 }],
    ['[::1]:80', { kind: 'tcp', host: '::1', port: 80 }],
    ['/run/s', { kind: 'socket', path: '/run/s' }],
  ])('%s', (text, wanted) => expect(parseListenAddress(text)).toEqual(wanted))

  it.each(['', 'x', '70000', ':80', '::1:80', 'host:', 'http://x:80', '1.2.3.4'])('not %j', (text) =>
    expect(() => parseListenAddress(text)).toThrow(/no address to listen on/),
  )
})
