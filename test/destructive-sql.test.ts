import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'

/**
 * Every file whose strings contain SQL that deletes, empties, drops or alters, by the reason why this is
 * safe. The test fails for a file that is missing here: add it under the proof of ownership that protects its
 * statements.
 */
const REASONS = {
  'steps of a reset, an erase or a purge: `Ownership.proof` is in the same transaction (test/cases/g1-*)': [
    'engine/mariadb/flavor.ts',
    'engine/mysql/erase.ts',
    'engine/mysql/program.ts',
    'engine/mysql/statements.ts',
    'engine/mysql/triggers.ts',
    'engine/mysql/writable.ts',
    'engine/postgres/suspend-triggers.ts',
    'engine/postgres/erase.ts',
    'engine/postgres/repair.ts',
    'engine/postgres/statements.ts',
    'engine/postgres/steps.ts',
    'engine/postgres/views.ts',
    'engine/sqlite/erase.ts',
    'engine/sqlite/handle-state.ts',
    'engine/sqlite/statements.ts',
    'engine/sqlite/triggers.ts',
    'erase/statements.ts',
  ],
  'temporary objects of our own session, and side tables by our own names': [
    'engine/mysql/create-routine.ts',
    'engine/mysql/erase-session.ts',
    'engine/mysql/erase-transaction.ts',
    'engine/mysql/ownership.ts',
    'engine/mysql/detector-rows.ts',
    'engine/mysql/own-statements.ts',
    'engine/postgres/erase-session.ts',
    'engine/postgres/erase-transaction.ts',
    'engine/postgres/large-objects.ts',
    'engine/postgres/program.ts',
    'engine/postgres/user-functions.ts',
    'engine/postgres/wal-reader.ts',
    'engine/postgres/wal.ts',
    'engine/sqlite/baseline.ts',
  ],
  'databases and accounts: only those whose mark says that afresh made them (`refuseDrop`)': [
    'engine/mysql/drop-database.ts',
    'engine/mysql/provision.ts',
    'engine/mysql/script-account.ts',
    'engine/postgres/database-settings.ts',
    'engine/postgres/databases.ts',
    'engine/postgres/drop-database.ts',
    'engine/postgres/provision.ts',
  ],
  'a copy that is being made, under a mark that says unfinished': [
    'engine/mysql/baseline.ts',
    'engine/mysql/copy-source.ts',
    'engine/postgres/clone-in-use.ts',
    'engine/mysql/events.ts',
    'engine/mysql/script-definers.ts',
  ],
  'tables of a measurement, in a database that was made for it': [
    'bench/user-schema/multiply-rows.ts',
    'bench/user-schema/made-rows.ts',
    'engine/bench-dialect.ts',
    'engine/mysql/bench.ts',
    'engine/mysql/costs.ts',
    'engine/postgres/bench.ts',
    'engine/postgres/costs.ts',
    'engine/sqlite/bench.ts',
  ],
  'rows that were generated, on request, in a table that was empty': ['generate/writer.ts'],
  'words for people': [
    'engine/postgres/connect-error.ts',
    'engine/postgres/with-lock-timeout.ts',
    'engine/postgres/index.ts',
    'engine/postgres/script.ts',
  ],
} as const

const DESTRUCTIVE =
  /\b(DELETE (\w+ )?(FROM|HISTORY)|TRUNCATE (TABLE )?($|"|`|\w+[,;])|(DROP|ALTER) $|DROP (IF|DATABASE|TABLE|TEMPORARY|FUNCTION|PROCEDURE|TRIGGER|CONSTRAINT|SCHEMA|USER|INDEX)|ALTER (DATABASE|TABLE|SEQUENCE|DEFINER|ROLE|USER)|RENAME TABLE|REFRESH MATERIALIZED)/

const root = resolve(import.meta.dirname, '../src')

function stringsOf(file: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      found.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true))
  return found
}

it('no other file has SQL that deletes, empties, drops or alters', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const destructive = files.filter((file) => stringsOf(file).some((text) => DESTRUCTIVE.test(text)))
  expect(destructive.sort()).toEqual(Object.values(REASONS).flat().sort())
})
