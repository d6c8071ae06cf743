import { describe, expect, it } from 'vitest'
import { AfreshError } from '../../src/errors.ts'
import { container, embedded, existing, parseServer, startServer } from '../../src/server/server.ts'

function thrown(body: () => unknown): AfreshError {
  try {
    body()
  } catch (error) {
    if (error instanceof AfreshError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('parseServer', () => {
  it.each([
    ['postgres:18', 'postgres'],
    ['postgres', 'postgres'],
    ['mysql:9.7', 'mysql'],
    ['mariadb:11.8', 'mariadb'],
    ['docker.io/library/postgres:17-alpine', 'postgres'],
    ['localhost:5000/mirror/mysql:8', 'mysql'],
    ['registry.example.com:443/postgres:18', 'postgres'],
    [`mariadb@sha256:${'a'.repeat(64)}`, 'mariadb'],
  ])('parses %s as an image of %s', (image, engine) => {
    expect(parseServer(image)).toEqual(container(image))
    expect(parseServer(image)).toMatchObject({ kind: 'container', image, engine })
  })

  it.each([
    ['postgres://u:p@h:5432/postgres', 'postgres'],
    ['postgresql://h', 'postgres'],
    ['mysql://root@h:3306', 'mysql'],
    ['mariadb://root@h:3306/', 'mariadb'],
  ])('parses %s as an existing server', (url, engine) => {
    expect(parseServer(url)).toEqual({ kind: 'existing', url, engine })
  })

  it('accepts `embedded`, and returns a spec unchanged', () => {
    expect(parseServer('embedded')).toEqual(embedded())
    const spec = container('postgres:18', { reuse: true })
    expect(parseServer(spec)).toBe(spec)
  })

  it.each(['', 'sqlite', 'redis:7', 'postgres:', 'postgres 18', 'embedded:18', 'postgres:18:1'])(
    'rejects %j and lists the valid forms',
    (text) => {
      const error = thrown(() => parseServer(text))
      expect(error.code).toBe('usage')
      expect(error.message).toContain(`'${text}'`)
      expect(error.next).toMatch(/postgres:18.*'embedded'.*postgres:\/\//)
    },
  )
})

describe('container', () => {
  it('requires the engine if the image does not imply it', () => {
    const error = thrown(() => container('postgis/postgis:16-3.4'))
    expect(error.code).toBe('usage')
    expect(error.next).toContain("container('postgis/postgis:16-3.4', { engine: 'postgres' })")
    expect(container('postgis/postgis:16-3.4', { engine: 'postgres' }).engine).toBe('postgres')
  })
})

describe('existing', () => {
  it.each(['http://localhost', 'file:///tmp/x', 'mssql://sa:secret@h'])('rejects %s', (url) => {
    const error = thrown(() => existing(url))
    expect(error.code).toBe('usage')
    expect(error.message).not.toContain('secret')
  })

  it('shows no URL that it cannot parse', () => {
    expect(thrown(() => existing('postgres://user:se/cret@:x:/')).message).not.toContain('cret')
  })

  it('shows the address but never the password, and is not stopped', async () => {
    const url = 'postgres://admin:secret@db.example.com:6543/postgres'
    await using server = await startServer(existing(url))
    expect(server).toMatchObject({
      kind: 'existing',
      engine: 'postgres',
      url,
      startedByAfresh: false,
      containerId: undefined,
    })
    expect(server.title).toBe('PostgreSQL at db.example.com:6543')
  })

  it('supports a socket', async () => {
    const server = await startServer(existing('postgres:///postgres?host=/run/postgresql'))
    expect(server.title).toBe('PostgreSQL at /run/postgresql')
  })
})
