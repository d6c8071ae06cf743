/**
 * The pages of the documentation and their code blocks. A comment on the line before a block says how it is
 * tested:
 *
 * - `<!-- path/of/a/file -->`: the block equals that file, which a test runs
 * - `<!-- project: NAME -->`: a file of one or more example projects, named by its first line, or commands
 *   to run in the project
 * - `<!-- run: NAME -->`: a program that a test runs in that project
 * - `<!-- given: declare const … -->`: the block is compiled after these declarations; without a
 *   comment, as it is
 * - `<!-- recipe: NAME -->`: test/cases/g8-ci-recipes.test.ts starts its server
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

export interface Page {
  /** `docs/ci.md` */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
}

export interface Block {
  /** `docs/ci.md:12` */
  readonly location: string
  readonly language: string
  readonly text: string
  readonly mark: Mark
}

export interface Mark {
  readonly kind: 'file' | 'project' | 'run' | 'given' | 'recipe' | 'none'
  readonly value: string
}

export interface ProjectFile {
  readonly project: string
  readonly name: string
  readonly contents: string
}

export function readPages(): Page[] {
  const names = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', ...names.map((name) => `docs/${name}`)].map(readPage)
}

function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const found = text.matchAll(/(?:^<!-- (.*) -->\n)?^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)
  const blocks = [...found].map(
    ({ index, 1: comment = '', 2: indent = '', 3: language = '', 4: body = '' }) => ({
      location: `${path}:${text.slice(0, index).split('\n').length}`,
      language,
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      mark: markOf(comment),
    }),
  )
  return { path, text, blocks }
}

function markOf(comment: string): Mark {
  const [, kind, value = ''] = /^(project|run|given|recipe): (.*)$/.exec(comment) ?? []
  if (kind !== undefined) return { kind: kind as Mark['kind'], value }
  return /^\S+\/\S+$/.test(comment) ? { kind: 'file', value: comment } : { kind: 'none', value: '' }
}

/** The files of all example projects, without their first line, which is the file name. */
export function projectFiles(pages: readonly Page[]): ProjectFile[] {
  return pages
    .flatMap(({ blocks }) => blocks)
    .filter(({ mark, language }) => mark.kind === 'project' && language !== 'sh')
    .flatMap(({ mark, text, location }) => {
      const [, name, contents] = /^(?:\/\/|--|#) (\S+\.\w+)\n([\s\S]*)$/.exec(text) ?? []
      if (name === undefined || contents === undefined)
        throw new Error(`${location}: the first line of a project's file has to be its name`)
      return mark.value.split(' ').map((project) => ({ project, name, contents }))
    })
}

/** The commands of an example project, line by line. */
export function projectCommands(pages: readonly Page[], project: string): string[] {
  return pages
    .flatMap(({ blocks }) => blocks)
    .filter(({ mark, language }) => mark.kind === 'project' && language === 'sh')
    .filter(({ mark }) => mark.value.split(' ').includes(project))
    .flatMap(({ text }) => text.trim().split('\n'))
}
