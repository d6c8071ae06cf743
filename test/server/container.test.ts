import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server as NetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getContainerRuntimeClient } from 'testcontainers'
import { afterEach, describe, expect, it } from 'vitest'
import { container, type ServerEngine, startServer } from '../../src/server/server.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerId } from '../support/servers.ts'
import { Child } from './child.ts'

const NAME_AND_VALUE: Readonly<Record<ServerEngine, { sql: string; expected: Record<string, string> }>> = {
  postgres: {
    sql: `SELECT name, setting AS value FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit',
            'full_page_writes', 'wal_level', 'max_locks_per_transaction', 'data_checksums', 'lc_messages')`,
    expected: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      wal_level: 'replica',
      max_locks_per_transaction: '1024',
      data_checksums: 'off',
      lc_messages: 'en_US.utf8', // unchanged from the official image
    },
  },
  mysql: {
    sql: `SHOW VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'log_bin',
            'performance_schema', 'max_connections')`,
    expected: {
      innodb_doublewrite: 'OFF',
      innodb_flush_log_at_trx_commit: '0',
      log_bin: 'OFF',
      max_connections: '500',
      performance_schema: 'ON',
    },
  },
  mariadb: {
    sql: `SHOW VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'log_bin',
            'performance_schema', 'userstat', 'max_connections')`,
    expected: {
      innodb_doublewrite: 'OFF',
      innodb_flush_log_at_trx_commit: '0',
      log_bin: 'OFF',
      max_connections: '500',
      performance_schema: 'ON',
      userstat: 'ON',
    },
  },
}

/** Listens on a port, unless it is in use. */
async function listenOn(host: string, port: number): Promise<NetServer> {
  const listener = createServer().listen({ host, port, exclusive: true })
  await Promise.race([once(listener, 'listening'), once(listener, 'error')]).catch(() => {})
  return listener
}

describe.each<ServerId>([
  'postgres:18',
  'postgres:17',
  'postgres:15',
  'mysql:9.7',
  'mariadb:11.8',
  'mariadb:10.11',
])('a container of %s', (id) => {
  describeOn(id, (server) => {
    it('is configured for disposable data', async () => {
      const { sql, expected } = NAME_AND_VALUE[server.engine]
      const rows = await ask(server, sql)
      const found = rows.map((row) => [row.name ?? row.Variable_name, row.value ?? row.Value])
      expect(Object.fromEntries(found)).toEqual(expected)
    })

    it('keeps its data in memory', async () => {
      const client = await getContainerRuntimeClient()
      const { output } = await client.container.exec(client.container.getById(server.containerId ?? ''), [
        'stat',
        '-f',
        '-c',
        '%T',
        server.engine === 'postgres' ? '/var/lib/postgresql/afresh/base' : '/var/lib/mysql/mysql',
      ])
      expect(output.trim()).toBe('tmpfs')
    })

    it('is accessible to the administrator', async () => {
      await ask(server, 'CREATE DATABASE afresh_test_admin')
      await ask(server, 'DROP DATABASE afresh_test_admin')
    })
  })
})

describeOn('postgres:18', () => {
  let child: Child | undefined
  afterEach(() => {
    child?.remove()
    child = undefined
  })

  it('passes on command and environment, and stops once', async () => {
    const spec = container('postgres:18', {
      command: ['-c', 'work_mem=9MB', '-c', 'fsync=on'],
      environment: { TZ: 'UTC' },
    })
    const server = await startServer(spec)
    expect(server).toMatchObject({
      kind: 'container',
      engine: 'postgres',
      startedByAfresh: true,
      endsWithRun: true,
    })
    expect(server.title).toBe('PostgreSQL in a container (postgres:18)')
    expect(
      await ask(server, `SELECT current_setting('work_mem') AS a, current_setting('fsync') AS b`),
    ).toEqual([{ a: '9MB', b: 'on' }])
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
    const client = await getContainerRuntimeClient()
    await expect(client.container.getById(server.containerId ?? '').inspect()).rejects.toThrow(
      /no such container/i,
    )
  })

  it('is found again with `reuse`, and keeps running', async () => {
    const spec = container('postgres:18', { reuse: true, environment: { TEST_RUN: `${process.pid}` } })
    const first = await startServer(spec)
    expect(first).toMatchObject({ startedByAfresh: true, endsWithRun: false })
    const client = await getContainerRuntimeClient()
    try {
      await ask(first, 'CREATE TABLE left_here ()')
      await first.stop()
      const second = await startServer(spec)
      expect(second.containerId).toBe(first.containerId)
      expect(await ask(second, `SELECT to_regclass('left_here') IS NOT NULL AS there`)).toEqual([
        { there: true },
      ])
      await second.stop()

      // Its data is in memory: after an external stop it starts empty, and afresh waits for it.
      await client.container.getById(first.containerId ?? '').stop()
      const third = await startServer(spec)
      expect(third.containerId).toBe(first.containerId)
      expect(await ask(third, `SELECT to_regclass('left_here') IS NOT NULL AS there`)).toEqual([
        { there: false },
      ])
    } finally {
      await client.container.getById(first.containerId ?? '').remove({ force: true, v: true })
    }
  })

  it('starts although the ports that the engine tries first are in use', async () => {
    const spec = container('postgres:18')
    const first = await startServer(spec)
    const { hostname, port } = new URL(first.url)
    const taken = await Promise.all(
      Array.from({ length: 60 }, (_, index) => listenOn(hostname, Number(port) + 1 + index)),
    )
    try {
      const second = await startServer(spec)
      expect(await ask(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
      await second.stop()
    } finally {
      for (const listener of taken) listener.close()
      await first.stop()
    }
  })

  it('names an unavailable image', async () => {
    await expect(startServer(container('postgres:0-no-such-tag'))).rejects.toMatchObject({
      code: 'server',
      message: expect.stringMatching(
        /^The image postgres:0-no-such-tag is not on the container engine and cannot be/,
      ),
    })
  })

  it('shows the end of the log of a server that does not start, and leaves nothing', async () => {
    child = new Child(container('postgres:18', { command: ['-c', 'no_such_setting=1'] }), 'hold')
    expect(await child.event(({ code }) => code !== undefined)).toMatchObject({
      code: 'server',
      message: expect.stringMatching(/^postgres:18 did not start[\s\S]*parameter "no_such_setting"[\s\S]*→/),
    })
    await child.ended()
    expect(await child.traces()).toEqual([])
  })

  it('reports that DOCKER_HOST does not respond, even if another engine does', async () => {
    child = new Child(container('postgres:18'), 'hold', {
      environment: { DOCKER_HOST: 'unix:///tmp/no-such.sock' },
    })
    expect(await child.event(({ code }) => code !== undefined)).toMatchObject({
      code: 'server',
      message: expect.stringMatching(
        /DOCKER_HOST[\s\S]*unix:\/\/\/tmp\/no-such\.sock[\s\S]*embedded\(\) or existing\(url\)/,
      ),
    })
  })
})

describe('the testcontainers package', () => {
  it('is named in the error when it is missing', async () => {
    const root = mkdtempSync(join(tmpdir(), 'afresh-project-'))
    cpSync(fileURLToPath(new URL('../../src', import.meta.url)), join(root, 'src'), { recursive: true })
    const child = new Child(container('mysql:9.7'), 'hold', { sources: join(root, 'src') })
    try {
      expect(await child.event(({ code }) => code !== undefined)).toMatchObject({
        code: 'usage',
        message: expect.stringMatching(
          /@testcontainers\/mysql is not installed[\s\S]*npm install --save-dev @testcontainers\/mysql/,
        ),
      })
    } finally {
      child.remove()
      rmSync(root, { recursive: true })
    }
  })
})
