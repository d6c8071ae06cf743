import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Consumer, pack, unpack } from '../runner/consumer.ts'

it('testcontainers 12 on Node 20: the error names both, and the version to install', async () => {
  const tarball = await pack()
  const consumer = await Consumer.empty([tarball, 'testcontainers@12', '@testcontainers/postgresql@12', 'pg'])
  try {
    if (!process.version.startsWith('v20.')) await consumer.onNode(20)
    const program = `
import { createHarness } from 'afresh'
createHarness({ server: 'postgres:18' }).catch((error) => console.log(JSON.stringify({ name: error.name, message: error.message })))`
    writeFileSync(join(consumer.folder, 'start.mjs'), program)
    const { stdout, output } = await consumer.node('start.mjs')
    const error = JSON.parse(stdout)
    expect(error.name, output).toBe('AfreshError')
    expect(error.message).toMatch(
      /testcontainers 12\.\S+ cannot be loaded[\s\S]*wants Node \S+ ?\S*; this is v20/,
    )
    expect(error.message).toContain('testcontainers@11 @testcontainers/postgresql@11')
  } finally {
    consumer.remove()
    unpack(tarball)
  }
})
