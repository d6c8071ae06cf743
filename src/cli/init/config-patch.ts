import { diffOfEdits, type Edit, linesOf } from './diff.ts'

/** An option that a configuration needs. */
export interface Entry {
  readonly key: string
  readonly value: string
  /** Whether the option takes a list, so that existing values stay next to the new one. */
  readonly isList: boolean
}

/** Where options go in a configuration file. */
export interface InsertionPoint {
  /** Matches up to the opening brace that precedes the options. */
  readonly anchor: RegExp
  /** If there is no such brace: the brace around it, and the key that is missing there. */
  readonly around?: { readonly anchor: RegExp; readonly key: string }
  readonly isJson?: boolean
  /** How to combine two values of an option that takes only one. */
  readonly combine?: string
}

/** What the user must add to an existing file, which afresh does not change. */
export interface ConfigPatch {
  readonly path: string
  /** A unified diff; without line numbers if the insertion point was not found. */
  readonly diff: readonly string[]
  readonly notes: readonly string[]
}

/** `undefined` if the file already contains all entries. */
export function configPatch(
  path: string,
  text: string,
  entries: readonly Entry[],
  point: InsertionPoint,
): ConfigPatch | undefined {
  const missing = entries.filter(({ value }) => !text.includes(value))
  if (missing.length === 0) return undefined
  const lines = linesOf(text)
  const style = styleOf(text, point)
  const lineOf = ({ key }: Entry) =>
    lines.findIndex((line) => new RegExp(`^\\s*["']?${key}["']?\\s*:`).test(line))
  const present = missing.filter((entry) => lineOf(entry) !== -1)
  // The key exists within a line: a second one of the same name would replace it.
  const existing = missing.filter(
    (entry) => !entry.isList && !present.includes(entry) && hasKey(text, entry.key),
  )
  const absent = missing.filter((entry) => !present.includes(entry) && !existing.includes(entry))
  const notes = existing.map(({ key, value }) => ownNote(path, key, value, point))
  const edits = present.flatMap((entry): Edit[] => {
    const line = lineOf(entry)
    const becomes = entry.isList ? joined(lines[line] ?? '', entry, style) : undefined
    if (becomes !== undefined) return [{ line, becomes }]
    notes.push(ownNote(path, entry.key, entry.value, point))
    return []
  })
  if (absent.length > 0) {
    const inserted = absent.some(({ key }) => hasKey(text, key))
      ? undefined
      : insertion(lines, absent, point, style)
    if (inserted === undefined)
      return withoutPlace(path, [...present.filter(({ isList }) => isList), ...absent], point, style, notes)
    edits.push(inserted)
  }
  return { path, diff: edits.length === 0 ? [] : diffOfEdits(path, lines, edits), notes }
}

function ownNote(path: string, key: string, value: string, { combine }: InsertionPoint): string {
  return `${path} has a ${key} of its own: let it do what '${value}' does, too${combine === undefined ? '' : ` (${combine})`}.`
}

/** Anywhere in a line, where a patch would be too intricate. */
function hasKey(text: string, key: string): boolean {
  return new RegExp(`[\\s{,]["']?${key}["']?\\s*:`).test(text)
}

function withoutPlace(
  path: string,
  entries: readonly Entry[],
  point: InsertionPoint,
  style: Style,
  notes: readonly string[],
): ConfigPatch {
  const added = block(entries, '', point.around?.key, style).map((line) => `+${line}`)
  return {
    path,
    diff: [`--- ${path}`, `+++ ${path}`, ...added],
    notes: [`Add these options where ${path} has its others, beside what it has.`, ...notes],
  }
}

interface Style {
  readonly indent: string
  quote(text: string): string
  key(name: string): string
}

function styleOf(text: string, { isJson = false }: InsertionPoint): Style {
  const isDouble = isJson || text.split('"').length > text.split("'").length
  const quote = (value: string) => (isDouble ? `"${value}"` : `'${value}'`)
  const indent = /^(\t| {2,8})\S/m.exec(text)?.[1] ?? '  '
  return { indent, quote, key: isJson ? quote : (name) => name }
}

/** The line of an existing option, with the value added before its own. */
function joined(line: string, { value }: Entry, style: Style): string[] | undefined {
  const quoted = style.quote(value)
  const [, head, rest = ''] = /^(.*?:\s*\[)\s*(.*)$/.exec(line) ?? []
  if (head !== undefined) {
    if (rest === '') return [line, `${indentOf(line)}${style.indent}${quoted},`]
    return [`${head}${quoted}${rest.startsWith(']') ? '' : ', '}${rest}`]
  }
  const [, key, single, end] = /^(.*?:\s*)(["'][^"']*["'])(,?\s*)$/.exec(line) ?? []
  return single === undefined ? undefined : [`${key}[${quoted}, ${single}]${end}`]
}

function insertion(
  lines: readonly string[],
  entries: readonly Entry[],
  { anchor, around }: InsertionPoint,
  style: Style,
): Edit | undefined {
  const within = lines.findIndex((text) => anchor.test(text))
  if (within !== -1)
    return afterBrace(lines, within, anchor, (indent) => block(entries, indent, undefined, style))
  if (around === undefined || hasKey(lines.join('\n'), around.key)) return undefined
  const outside = lines.findIndex((text) => around.anchor.test(text))
  if (outside === -1) return undefined
  return afterBrace(lines, outside, around.anchor, (indent) => block(entries, indent, around.key, style))
}

function afterBrace(
  lines: readonly string[],
  line: number,
  anchor: RegExp,
  textFor: (indent: string) => string[],
): Edit {
  const text = lines[line] ?? ''
  const brace = anchor.exec(text)?.[0] ?? ''
  const rest = text.slice(brace.length).trim()
  if (rest === '') return { line, becomes: [text, ...textFor(indentOf(text))] }
  const inOneLine = textFor('')
    .map((part) => part.trim())
    .join(' ')
    .replaceAll(/,(?= \}|$)/g, '')
  return { line, becomes: [`${brace} ${inOneLine}${rest.startsWith('}') ? ' ' : ', '}${rest}`] }
}

function block(entries: readonly Entry[], outer: string, around: string | undefined, style: Style): string[] {
  const indent = `${outer}${style.indent}`
  if (around !== undefined) {
    return [`${indent}${style.key(around)}: {`, ...block(entries, indent, undefined, style), `${indent}},`]
  }
  return entries.map(({ key, value, isList }) => {
    const quoted = style.quote(value)
    return `${indent}${style.key(key)}: ${isList ? `[${quoted}]` : quoted},`
  })
}

function indentOf(line: string): string {
  return /^\s*/.exec(line)?.[0] ?? ''
}
