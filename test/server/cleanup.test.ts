import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { processesWithDataIn } from '../../src/server/cleanup-process.ts'
import { container, embedded } from '../../src/server/server.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { Child, until } from './child.ts'

const SOON_MS = 20_000

let child: Child | undefined
afterEach(() => {
  child?.remove()
  child = undefined
})

async function leavesNothing(of: Child): Promise<void> {
  await of.ended()
  await expect.poll(() => of.traces(), { timeout: SOON_MS }).toEqual([])
}

const ANSWERS = [{ one: 1 }]

function suite(
  spec: ReturnType<typeof embedded> | ReturnType<typeof container>,
  begun: (child: Child) => Promise<boolean>,
) {
  const launch = (then: 'hold' | 'exit' | 'stop') => {
    child = new Child(spec, then)
    return child
  }

  it('leaves nothing after an orderly stop, and does not keep the process alive', async () => {
    const stopping = launch('stop')
    await stopping.event((event) => event.url !== undefined)
    await stopping.ended()
    await leavesNothing(stopping)
  })

  it.each([
    ['SIGKILL', (held: Child) => held.kill()],
    ['Ctrl-C', (held: Child) => held.interrupt()],
  ])('leaves nothing after %s', async (_, end) => {
    const held = launch('hold')
    const { url = '', engine = '' } = await held.event((event) => event.url !== undefined)
    expect(await ask({ url, engine }, 'SELECT 1 AS one')).toEqual(ANSWERS)
    end(held)
    await leavesNothing(held)
  })

  it('leaves nothing when the process exits without stopping it', async () => {
    const exiting = launch('exit')
    await exiting.event((event) => event.url !== undefined)
    await leavesNothing(exiting)
  })

  it('leaves nothing when killed during the start', async () => {
    const held = launch('hold')
    await until(() => begun(held), 60_000)
    held.kill()
    await leavesNothing(held)
  })
}

describeOn('embedded:18', () => {
  suite(embedded(), async ({ folder }) => processesWithDataIn(folder).length > 0)

  it('leaves nothing when killed while the cluster for the cache is created', async () => {
    const cache = join(tmpdir(), `afresh-test-cache-${process.pid}`)
    child = new Child(embedded(), 'hold', { environment: { AFRESH_CACHE_DIR: cache } })
    await until(() => processesWithDataIn(cache).length > 0, 60_000)
    child.kill()
    await leavesNothing(child)
    expect(readdirSync(cache)).toEqual([])
    rmSync(cache, { recursive: true })
  })
})

// Cleanup does not depend on the image.
describeOn('postgres:18', () => {
  suite(container('postgres:18'), async (held) => (await held.containers()).length > 0)
})
