import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { run } from '../src/cli/program.ts'
import { type Block, type Page, ROOT, readPages } from './support/documentation.ts'

const pages = readPages()
const blocks = pages.flatMap((page) => page.blocks)
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const pageNamed = (name: string): Page => {
  const page = pages.find(({ path }) => path === name)
  if (page === undefined) throw new Error(`there is no ${name}`)
  return page
}

describe.each(pages)('$path', ({ path, text, blocks: own }) => {
  it('has links with existing targets, including headings', () => {
    const links = [...prose(text).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    for (const [link, target = '', anchor] of links) {
      const file = target === '' ? path : join(path, '..', target)
      expect(existsSync(join(ROOT, file)), `${link} in ${path}`).toBe(true)
      if (anchor !== undefined) expect(anchorsOf(read(file)), `${link} in ${path}`).toContain(anchor)
    }
  })

  it('has lines of at most 110 characters', () => {
    const long = prose(text)
      .replaceAll(/^<!-- bench:(\S+) -->[\s\S]*?^<!-- \/bench:\1 -->$/gm, '')
      .split('\n')
      .filter((line) => line.length > 110 && !/^\||\]\(|https?:|^<!--/.test(line))
    expect(long).toEqual([])
  })

  it('has only code blocks that a test runs or compiles', () => {
    const unknown = own.filter((block) => !isTested(block)).map(({ location }) => location)
    expect(unknown).toEqual([])
  })
})

describe.each(pages.filter(({ path }) => path !== 'README.md'))('$path', ({ text }) => {
  it('starts with a table of its contents', () => {
    const headings = [...prose(text).matchAll(/^## (.+)$/gm)].map(([, title = '']) => title)
    const contents = [
      ...text
        .split(/^## /m, 1)
        .join('')
        .matchAll(/^- \[(.+?)\]\(#.*?\)$/gm),
    ]
    expect(contents.map(([, title = '']) => title)).toEqual(headings)
  })
})

it('README has at most 8,000 bytes', () => {
  expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(8000)
})

it('README links to every page', () => {
  for (const { path } of pages.slice(1)) expect(read('README.md')).toContain(`](${path}`)
})

it('blocks that name a file equal that file', () => {
  const files = blocks.filter(({ mark }) => mark.kind === 'file')
  expect(files.length).toBeGreaterThanOrEqual(10)
  for (const { text, mark } of files) expect(text, mark.value).toBe(read(mark.value))
})

describe('commands', () => {
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text, location }) => text.split('\n').map((line) => ({ line, location })))
    .flatMap(({ line, location }) => line.split(' && ').map((command) => ({ command, location })))

  it('of npm are scripts of the package', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const names = commands.flatMap(({ command }) => /^npm (?:run )?([\w:-]+)/.exec(command)?.[1] ?? [])
    const own = new Set(['install', 'i', 'ci', ...Object.keys(scripts)])
    expect(names.filter((name) => !own.has(name))).toEqual([])
  })

  it('of afresh have the options that are shown', async () => {
    const shown = commands.filter(({ command }) => /^(npx )?afresh \w/.test(command))
    expect(shown.length).toBeGreaterThan(5)
    for (const { command, location } of shown) {
      const [, name = ''] = /afresh (\w+)/.exec(command) ?? []
      const help = await helpOf(name)
      const flags = command.replace(/#.*$/, '').match(/(?<=\s)--[\w-]+/g) ?? []
      expect(help, `${location}: ${command}`).toContain(`Usage: afresh ${name}`)
      for (const flag of flags) expect(help, `${location}: ${command}`).toContain(`${flag} `)
    }
  })
})

describe('against the types of the package', () => {
  let compiled: ReturnType<typeof compile>
  beforeAll(() => {
    compiled = compile(blocks.filter(isCompiled))
  })

  it('every block that is not run compiles', () => {
    expect(compiled.problems).toEqual([])
  })

  it('docs/configuration.md has every option', () => {
    const { text } = pageNamed('docs/configuration.md')
    const options = [...sectionOf(text, 'Options').matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name)
    expect(options.toSorted()).toEqual(compiled.membersOf("keyof import('afresh').HarnessOptions"))
    const attach = [...(/^`attach` takes ([\s\S]*?)\.\n/m.exec(text)?.[1] ?? '').matchAll(/`(\w+)`/g)]
    expect(attach.map(([, name]) => name).toSorted()).toEqual(
      compiled.membersOf("keyof import('afresh').AttachOptions"),
    )
  })

  it('docs/servers.md has every option of container and embedded', () => {
    const { text } = pageNamed('docs/servers.md')
    for (const [title, type] of [
      ['Containers', 'ContainerOptions'],
      ['Embedded PostgreSQL', 'EmbeddedOptions'],
    ] as const) {
      const options = [...sectionOf(text, title).matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
      expect(options.toSorted(), title).toEqual(compiled.membersOf(`keyof import('afresh').${type}`))
    }
  })

  it('docs/troubleshooting.md has an entry for each code of an error', () => {
    const { text } = pageNamed('docs/troubleshooting.md')
    const codes = [...prose(text).matchAll(/^## `(\w+)`$/gm)].map(([, code]) => code)
    expect(codes.toSorted()).toEqual(compiled.membersOf("import('afresh').ErrorCode"))
  })
})

it('the messages in docs/troubleshooting.md are those of the source', () => {
  const source = ts.sys
    .readDirectory(join(ROOT, 'src'), ['.ts'])
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
    // A message may span several lines of the source.
    .replaceAll(/['`] \+\n\s*['`]/g, '')
  const messages = [...prose(pageNamed('docs/troubleshooting.md').text).matchAll(/^### (.+)$/gm)]
  expect(messages.length).toBeGreaterThan(20)
  for (const [, message = ''] of messages) {
    for (const part of message.split('…')) expect(source).toContain(part.trim().replaceAll('`', ''))
  }
})

/** The text without its code blocks. */
function prose(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
}

/** Anchors as GitHub generates them. */
function anchorsOf(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function sectionOf(text: string, title: string): string {
  return text.split(/^## /m).find((section) => section.startsWith(`${title}\n`)) ?? ''
}

/** Output (no language, or `text`) and commands (`sh`) have tests of their own. */
function isTested(block: Block): boolean {
  const { language, mark } = block
  if (['', 'sh', 'text'].includes(language)) return true
  return mark.kind === 'none' || mark.kind === 'given' ? isCompiled(block) : true
}

function isCompiled({ language, mark }: Block): boolean {
  return /^[jt]s$/.test(language) && (mark.kind === 'none' || mark.kind === 'given')
}

async function helpOf(command: string): Promise<string> {
  const written: string[] = []
  const { write } = process.stdout
  process.stdout.write = (text: string | Uint8Array) => {
    written.push(String(text))
    return true
  }
  try {
    await run([command, '--help'])
  } finally {
    process.stdout.write = write
  }
  return written.join('')
}

/** Compiles each block as a module of its own. Entries of the package resolve to its sources. */
function compile(given: readonly Block[]): {
  readonly problems: string[]
  membersOf(type: string): string[]
} {
  const asked = join(ROOT, 'test', 'docs-asked.ts')
  const types = [
    "keyof import('afresh').HarnessOptions",
    "keyof import('afresh').AttachOptions",
    "keyof import('afresh').ContainerOptions",
    "keyof import('afresh').EmbeddedOptions",
    "import('afresh').ErrorCode",
  ]
  const modules = new Map(
    given.map(({ text, mark, language }, index) => [
      join(ROOT, 'test', `docs-block-${index}.${language}`),
      mark.kind === 'given' ? `${mark.value}\n${text}` : text,
    ]),
  )
  const sources = new Map([
    ...[...modules].map(([path, text]) => [path, `${text}\nexport {}\n`] as const),
    [asked, types.map((type, index) => `export type T${index} = ${type}`).join('\n')] as const,
  ])
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    allowJs: true,
    checkJs: true,
    types: ['node'],
    paths: exportsOfPackage(),
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (path) => sources.has(path) || fileExists(path)
  host.readFile = (path) => sources.get(path) ?? readFile(path)
  const program = ts.createProgram([...sources.keys()], options, host)
  const problems = [...modules.keys()].flatMap((path, index) => {
    const source = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(
      ({ messageText }) =>
        `${given[index]?.location}: ${ts.flattenDiagnosticMessageText(messageText, '\n').split('\n')[0]}`,
    )
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(asked)
  return {
    problems,
    membersOf(type) {
      const alias = source?.statements[types.indexOf(type)]
      if (alias === undefined) throw new Error(`${type} was not asked for`)
      const found = checker.getTypeAtLocation(alias)
      const members = found.isUnion() ? found.types : [found]
      return members.flatMap((member) => (member.isStringLiteral() ? [member.value] : [])).toSorted()
    },
  }
}

/** Maps entries such as `afresh/vitest` to their sources. */
function exportsOfPackage(): Record<string, string[]> {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> }
  return Object.fromEntries(
    Object.entries(exports).flatMap(([name, target]) => {
      const [, path] = /"\.\/dist\/([^"]+)\.d\.ts"/.exec(JSON.stringify(target)) ?? []
      return path === undefined ? [] : [[name.replace('.', 'afresh'), [join(ROOT, 'src', `${path}.ts`)]]]
    }),
  )
}
