import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSocketFolder } from '../../src/runner/core/service/socket-folder.ts'
import { identityOf } from '../../src/util/process-identity.ts'

describe.skipIf(process.platform === 'win32')('the folder of the socket', () => {
  const { TMPDIR } = process.env
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'afresh-socket-folder-'))
    process.env.TMPDIR = folder
  })
  afterAll(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    rmSync(folder, { recursive: true })
  })

  it('removes what killed processes left, and nothing else', () => {
    const killed = join(folder, 'afresh-sessions-999999999-1-0123456789ab')
    const living = join(folder, `afresh-sessions-${identityOf(process.pid)}-0123456789ab`)
    const others = ['afresh-sessions-', 'afresh-sessions-999999999-1-notes', 'afresh-run-999999999-1-']
    for (const path of [killed, living, ...others.map((name) => join(folder, name))]) mkdirSync(path)
    const { socket, remove } = createSocketFolder()
    expect(existsSync(killed)).toBe(false)
    for (const path of [living, dirname(socket), ...others.map((name) => join(folder, name))])
      expect(existsSync(path), path).toBe(true)
    remove()
    expect(existsSync(dirname(socket))).toBe(false)
  })

  it('is a given one, unless the path would be too long for a socket', () => {
    expect(createSocketFolder(folder).socket).toBe(join(folder, 's'))
    const long = createSocketFolder(join(folder, 'x'.repeat(100)))
    expect(Buffer.byteLength(long.socket)).toBeLessThanOrEqual(103)
    long.remove()
  })
})
