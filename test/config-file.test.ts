import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/file.ts'

describe('the configuration file', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'afresh-config-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const write = (extension: string, text: string) =>
    writeFile(join(folder, `afresh.config.${extension}`), text)

  it('may be missing', async () => {
    expect(await loadConfig(folder)).toEqual({ path: undefined, options: {} })
  })

  it.each([
    ['ts', `export default { server: 'postgres:18' as string, keep: ['a'] satisfies string[] }`],
    ['mts', `const server: string = 'postgres:18'; export default { server, keep: ['a'] }`],
    ['js', `export default { server: 'postgres:18', keep: ['a'] }`],
    ['js', `module.exports = { server: 'postgres:18', keep: ['a'] }`],
    ['mjs', `export default { server: 'postgres:18', keep: ['a'] }`],
    ['cjs', `module.exports = { server: 'postgres:18', keep: ['a'] }`],
  ])('is loaded as .%s: %s', async (extension, text) => {
    await write(extension, text)
    expect(await loadConfig(folder)).toEqual({
      path: join(folder, `afresh.config.${extension}`),
      options: { server: 'postgres:18', keep: ['a'], cwd: folder },
    })
  })

  it('may import its own modules, and keeps functions', async () => {
    await mkdir(join(folder, 'db'))
    await writeFile(join(folder, 'db', 'migrate.ts'), 'export const migrate = (): string => "done"')
    await write('ts', `import { migrate } from './db/migrate'; export default { migrate, cwd: 'db' }`)
    const { options } = await loadConfig(folder)
    expect(options.cwd).toBe(join(folder, 'db'))
    expect((options.migrate as () => unknown)()).toBe('done')
  })

  it.each([
    ['ts', (project: string) => `export default { project: '${project}' as string }`],
    ['js', (project: string) => `export default { project: '${project}' }`],
    ['mjs', (project: string) => `export default { project: '${project}', cwd: import.meta.dirname }`],
    ['cjs', (project: string) => `module.exports = { project: '${project}', cwd: __dirname }`],
  ])('is read again after a change: .%s', async (extension, text) => {
    await write(extension, text('one'))
    await loadConfig(folder)
    await write(extension, text('two'))
    expect((await loadConfig(folder)).options).toEqual({ project: 'two', cwd: folder })
    await write(extension, 'nonsense nonsense')
    await expect(loadConfig(folder)).rejects.toMatchObject({ code: 'usage' })
    await write(extension, text('three'))
    expect((await loadConfig(folder)).options.project).toBe('three')
  })

  it.each([
    ['no default export', 'export const server = 1', /exports no options/],
    ['a list', 'export default []', /exports no options/],
    ['a syntax error', 'export default {', /could not be loaded/],
    [
      'an error of its own',
      `throw new Error('DATABASE_URL is not set')`,
      /could not be loaded: DATABASE_URL is not set/,
    ],
    ['a module that is missing', `import 'no-such-package'; export default {}`, /no-such-package/],
  ])('with %s is wrong usage', async (_, text, message) => {
    await write('ts', text)
    await expect(loadConfig(folder)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message),
      next: expect.any(String),
    })
  })

  it('may exist only once', async () => {
    await write('ts', 'export default {}')
    await write('js', 'export default {}')
    await expect(loadConfig(folder)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('afresh.config.ts, afresh.config.js'),
    })
  })
})
