import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ScriptDialect, splitScript } from '../../src/engine/sql/script.ts'

/** Tokens that end no statement in any context. */
const INNER = fc.stringMatching(/^[^'"`\\]*$/)
const COMMON = [
  fc.constantFrom('select', 'x', '1', ',', '+', '(a)', '/', '*', 'create', 'table', 'e', '.5'),
  INNER.map((text) => `'${text}'`),
  INNER.map((text) => `'${text}''${text}'`),
  INNER.map((text) => `"${text}"`),
  INNER.map((text) => `-- ${text.replaceAll(/[\r\n]/g, ' ')}\n`),
  INNER.map((text) => `/*${text.replaceAll(/[/*!+M]/g, '_')}*/`),
]
const TOKENS: Record<ScriptDialect, fc.Arbitrary<string>> = {
  postgres: fc.oneof(
    ...COMMON,
    INNER.map((text) => `$tag$${text}'"$$;$tag$`),
    INNER.map((text) => `$$${text.replaceAll('$', '')}'$$`),
    INNER.map((text) => String.raw`E'\\\'${text}'`),
    INNER.map((text) => `/* /*${text.replaceAll(/[/*]/g, '_')}*/ ; */`),
    INNER.map((text) => `(a; ${text.replaceAll(/[()/$-]/g, '_')})`),
  ),
  mysql: fc.oneof(
    ...COMMON,
    INNER.map((text) => String.raw`'\\\'${text}'`),
    INNER.map((text) => `\`${text}\\\``),
    INNER.map((text) => `#${text.replaceAll(/[\r\n]/g, ' ')}\n`),
    fc.constantFrom('/*!40101 select */', '/*M! x */'),
  ),
  sqlite: fc.oneof(
    ...COMMON,
    INNER.map((text) => `[${text.replaceAll(']', '')}]`),
    INNER.map((text) => `\`${text}\``),
  ),
}

describe.each(['postgres', 'mysql', 'sqlite'] as const)(
  'any joined statements are split into the originals: %s',
  (dialect) => {
    it('at the same positions and lines', () => {
      const statement = fc
        .array(TOKENS[dialect], { minLength: 1, maxLength: 8 })
        .map((tokens) => `select ${tokens.join(' ')}`.trimEnd())
      const gap = fc.constantFrom('', '\n', ' -- gap;\n', '/* ; */', '\r\n\r\n', ';')
      fc.assert(
        fc.property(fc.array(fc.tuple(gap, statement), { maxLength: 6 }), (pieces) => {
          let text = ''
          const expected = pieces.map(([before, sql]) => {
            text += before
            const line = text.split('\n').length
            // A line comment at the end would include the semicolon.
            text += `${sql}\n;`
            return { sql, line }
          })
          expect(splitScript(text, dialect)).toEqual(expected)
        }),
        { numRuns: 500 },
      )
    })
  },
)
