/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  )
}

/** Fills lines of at most 110 characters with the words of a paragraph. */
export function paragraph(text: string, indent = ''): string {
  const lines: string[] = ['']
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1) ?? ''
    const next = last === '' ? word : `${last} ${word}`
    const width = 110 - (lines.length === 1 ? 0 : indent.length)
    if (next.length > width && last !== '') lines.push(word)
    else lines[lines.length - 1] = next
  }
  return lines.join(`\n${indent}`)
}

/** An item of a list. */
export function item(text: string): string {
  return paragraph(`- ${text}`, '  ')
}
