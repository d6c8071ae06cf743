import { describe, expect, it } from 'vitest'
import { controlsIn } from '../../../src/engine/transaction/control-statements.ts'

const kinds = (text: string, dialect: 'postgres' | 'mysql', several = true) =>
  controlsIn(text, dialect, several)?.map(({ control }) => control?.kind ?? 'other')

describe('the statements that control a transaction', () => {
  it.each([
    ['BEGIN', 'begin'],
    ['begin;', 'begin'],
    ['BEGIN WORK', 'begin'],
    ['START/* a\n trace */TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY', 'begin'],
    ['-- first\nCOMMIT', 'commit'],
    ['COMMIT AND CHAIN', 'commit'],
    ['ROLLBACK WORK', 'rollback'],
    ['ROLLBACK TO x', 'rollback to'],
    ['ROLLBACK WORK TO SAVEPOINT "begin"', 'rollback to'],
    ['SAVEPOINT x', 'savepoint'],
    ['RELEASE SAVEPOINT x', 'release'],
    ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED', 'characteristics'],
  ])('%s, in every dialect', (sql, kind) => {
    expect(kinds(sql, 'postgres')).toEqual([kind])
    expect(kinds(sql, 'mysql')).toEqual([kind])
  })

  it.each([
    ['END', 'commit'],
    ['ABORT', 'rollback'],
    ['/* a /* nested */ comment */ COMMIT', 'commit'],
    ["PREPARE TRANSACTION 'x'", 'two-phase'],
    ['SET CONSTRAINTS ALL DEFERRED', 'constraints'],
  ])('%s, in PostgreSQL', (sql, kind) => {
    expect(kinds(sql, 'postgres')).toEqual([kind])
  })

  it.each([
    ["SELECT 'BEGIN; COMMIT'", 'postgres'],
    ['SELECT $$;COMMIT;$$', 'postgres'],
    ['SELECT "commit" FROM "begin"', 'postgres'],
    ['DO $$ BEGIN PERFORM 1; END $$', 'postgres'],
    ['PREPARE begin AS SELECT 1', 'postgres'],
    ["COMMIT PREPARED 'x'", 'postgres'],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', 'postgres'],
    ['SELECT 1 -- ; COMMIT', 'mysql'],
    ['START REPLICA', 'mysql'],
    ['SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'mysql'],
    ['BEGIN NOT ATOMIC INSERT INTO t VALUES (1); COMMIT; END', 'mysql'],
    ['CREATE PROCEDURE p() BEGIN INSERT INTO t VALUES (1); COMMIT; END', 'mysql'],
  ] as const)('not %s (%s)', (sql, dialect) => {
    expect(kinds(sql, dialect)).toBeUndefined()
  })

  it('among others in one message', () => {
    const text = "BEGIN; INSERT INTO t VALUES (';COMMIT;'); /* ; */ COMMIT; SELECT 1"
    expect(kinds(text, 'postgres')).toEqual(['begin', 'other', 'commit', 'other'])
    expect(kinds(text, 'mysql')).toEqual(['begin', 'other', 'commit', 'other'])
  })

  it('only at the beginning of a message, where the server takes one statement per message', () => {
    expect(kinds('SELECT 1; COMMIT', 'mysql', false)).toBeUndefined()
  })

  it('with their options', () => {
    expect(controlsIn('BEGIN READ ONLY', 'postgres', true)?.[0].control).toEqual({
      kind: 'begin',
      readOnly: true,
    })
    expect(controlsIn('COMMIT AND CHAIN', 'postgres', true)?.[0].control).toMatchObject({ chain: true })
    expect(controlsIn('COMMIT AND NO CHAIN', 'postgres', true)?.[0].control).toMatchObject({ chain: false })
  })
})
