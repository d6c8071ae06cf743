/** SQL text split at its values: `texts` has one element more than `values`. */
export interface Sql {
  readonly texts: readonly string[]
  readonly values: readonly unknown[]
}

export function boundValue(value: unknown): Sql {
  return { texts: ['', ''], values: [value] }
}

/** Concatenates parts; strings are SQL. */
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

/** The text with a placeholder for each value. */
export function withPlaceholders({ texts }: Sql, placeholder: (index: number) => string): string {
  const [first = '', ...rest] = texts
  return rest.reduce((text, next, index) => text + placeholder(index + 1) + next, first)
}

/** The text of a fragment without values. */
export function plainText({ texts }: Sql): string {
  return texts.join('')
}

/** A condition: the operands together equal one of the rows. */
export function oneOfRows(operands: readonly string[], rows: readonly (readonly unknown[])[]): Sql {
  const tuples = rows.map((row) => concatenated(['(', joined(row.map(boundValue), ', '), ')']))
  return concatenated([`(${operands.join(', ')}) IN (`, joined(tuples, ', '), ')'])
}
