import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

it('the recipes in docs/clients.md are the files that the tests run', () => {
  const blocks = [...read('docs/clients.md').matchAll(/^<!-- (\S+) -->\n```ts\n([\s\S]*?)\n```$/gm)]
  expect(blocks.map(([, path]) => path)).toHaveLength(10)
  for (const [, path = '', text] of blocks) expect(`${text}\n`, path).toBe(read(path))
})

it.each(['clients', 'erase', 'jest', 'node-test', 'rollback', 'vitest'])(
  'links in docs/%s.md lead somewhere',
  (name) => {
    const links = [...read(`docs/${name}.md`).matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)]
    for (const [, path = ''] of links) expect(existsSync(join(root, 'docs', path)), path).toBe(true)
  },
)

it('links in README.md lead somewhere', () => {
  const links = [...read('README.md').matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)]
  expect(links.length).toBeGreaterThan(3)
  for (const [, path = ''] of links) expect(existsSync(join(root, path)), path).toBe(true)
})
