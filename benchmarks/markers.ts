import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Writes a text between `<!-- NAME -->` and `<!-- /NAME -->` in a file. Throws if the markers are missing.
 */
export function writeBetween(file: string, name: string, content: string): void {
  const text = readFileSync(file, 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end} to write between`)
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`)
}
