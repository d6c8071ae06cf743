/** SQL with its values apart: one text more than there are values. */
export interface Sql {
  readonly texts: readonly string[]
  readonly values: readonly unknown[]
}

export function boundValue(value: unknown): Sql {
  return { texts: ['', ''], values: [value] }
}

/** Parts one after the other; a text is SQL. */
export function concatenated(parts: readonly (Sql | string)[]): Sql {
  const texts = ['']
  const values: unknown[] = []
  for (const part of parts) {
    const [first = '', ...rest] = typeof part === 'string' ? [part] : part.texts
    texts.push((texts.pop() ?? '') + first, ...rest)
    if (typeof part !== 'string') values.push(...part.values)
  }
  return { texts, values }
}

export function joined(parts: readonly Sql[], separator: string): Sql {
  return concatenated(parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part])))
}

/** The text with placeholders where its values belong. */
export function withPlaceholders({ texts }: Sql, placeholder: (index: number) => string): string {
  const [first = '', ...rest] = texts
  return rest.reduce((text, next, index) => text + placeholder(index + 1) + next, first)
}

/** The text of SQL that has no values. */
export function plainText({ texts }: Sql): string {
  return texts.join('')
}

/** That the operands together are one of the rows. */
export function oneOfRows(operands: readonly string[], rows: readonly (readonly unknown[])[]): Sql {
  const tuples = rows.map((row) => concatenated(['(', joined(row.map(boundValue), ', '), ')']))
  return concatenated([`(${operands.join(', ')}) IN (`, joined(tuples, ', '), ')'])
}
