import { readFileSync, writeFileSync } from 'node:fs'

/** Puts a text between `<!-- NAME -->` and `<!-- /NAME -->` of a file. Throws where the two are not there. */
export function writeBetween(file: string, name: string, content: string): void {
  const text = readFileSync(file, 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end} to write between`)
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`)
}
