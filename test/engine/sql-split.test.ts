import { describe, expect, it } from 'vitest'
import { type ScriptDialect, splitScript } from '../../src/engine/sql/script.ts'
import { AfreshError } from '../../src/errors.ts'

const split = (dialect: ScriptDialect, text: string) => splitScript(text, dialect).map(({ sql }) => sql)

function problemOf(dialect: ScriptDialect, text: string): AfreshError {
  try {
    splitScript(text, dialect)
  } catch (error) {
    if (error instanceof AfreshError) return error
    throw error
  }
  throw new Error('no error was thrown')
}

describe.each(['postgres', 'mysql', 'sqlite'] as const)('every dialect: %s', (dialect) => {
  it('splits at semicolons and drops empty statements', () => {
    expect(split(dialect, 'select 1; ;;\n\nselect 2;\n')).toEqual(['select 1', 'select 2'])
  })

  it('keeps the text after the last semicolon', () => {
    expect(split(dialect, 'select 1;\nselect 2')).toEqual(['select 1', 'select 2'])
  })

  it('returns nothing for blanks, comments and an empty script', () => {
    expect(split(dialect, '')).toEqual([])
    expect(split(dialect, ' \n-- one; two\n/* three; */\n')).toEqual([])
  })

  it('drops a byte order mark', () => {
    expect(split(dialect, '\uFEFFselect 1;')).toEqual(['select 1'])
  })

  it('ignores semicolons in strings, quoted names and comments', () => {
    const statements = [
      `select 'a;b', 'it''s; so'`,
      `select ";" from "a"";b"`,
      'select 1 -- no; end\n + 1',
      'select /* no; end */ 2',
      `select '-- not a comment', ';', '/*'`,
    ]
    expect(split(dialect, `${statements.join(';\r\n')};`)).toEqual(statements)
  })

  it('reports the line of the first token, with any line endings', () => {
    const text = '-- head\n\nselect 1;\r\n/* a\nb */ select\n2; select 3;\nselect 4'
    expect(splitScript(text, dialect).map(({ line }) => line)).toEqual([3, 5, 6, 7])
  })

  it('passes an unterminated string to the server, which reports the error', () => {
    expect(split(dialect, "select 1; select 'open; select 2;")).toEqual([
      'select 1',
      "select 'open; select 2;",
    ])
  })

  it.each([
    ['statements on lines', "insert into t values (1, 'it''s; here', null);\n"],
    ['statements on one line', 'insert into t values (1);'],
    ['a statement of many rows', "(1,'it''s; here',null),\n"],
    ['comments', '-- a comment; of a line\n'],
    ['open brackets', '(/'],
    ['quotes', "''"],
    ['backslashes in a string', dialect === 'sqlite' ? 'a' : "E'\\\\'"],
  ])(
    'reads 10 MB of %s before the test times out, which quadratic work would not',
    (_, piece) => {
      const text = `select 1;${piece.repeat(10_000_000 / piece.length)}`
      expect(splitScript(text, dialect)[0]).toMatchObject({ line: 1, sql: 'select 1' })
    },
    120_000,
  )
})

describe('postgres', () => {
  it.each([
    ['dollar quotes', 'do $$ begin; end $$'],
    ['tagged dollar quotes', 'select $a$ ; $$ ; $b$ ; $a$'],
    ['a dollar within a name', 'select a$b$c'],
    ['parameters', 'select $1, $2'],
    ['an escape string', String.raw`select E'it\'s; so', e'\\'`],
    ['an escape string over lines', String.raw`select E'a'${'\n'}  'b\';'`],
    ['a backslash in a standard string', String.raw`select '\'`],
    ['a unicode string', String.raw`select U&'\0041;', U&"a;"`],
    ['a name that ends in e', String.raw`select type'\'`],
    ['nested comments', 'select /* a /* b; */ c; */ 1'],
    ['rules', 'create rule r as on insert to t do also (insert into u values (1); delete from v)'],
    [
      'BEGIN ATOMIC',
      'create or replace function f() returns int begin atomic; select case when true then 1 else 2 end; select 2; end',
    ],
    ['a procedure', 'CREATE PROCEDURE p() LANGUAGE SQL BEGIN ATOMIC INSERT INTO t VALUES (1); END'],
    ['names with unicode', 'select größe$x from tabelle'],
    ['brackets and casts', "select (array[1,2])[1]::text || ';'"],
    ['operators', 'select 4 / 2 - -1 * 3'],
  ])('keeps %s together', (_, statement) => {
    expect(split('postgres', `${statement}; select 1;`)).toEqual([statement, 'select 1'])
  })

  it('treats BEGIN and END as statements outside of routines', () => {
    expect(split('postgres', 'begin; select 1; end; commit;')).toEqual(['begin', 'select 1', 'end', 'commit'])
  })

  it('reads the rows after COPY … FROM stdin', () => {
    const text = `COPY public.t (a, b) FROM stdin;\n1\ta;b\n2\t\\N\n\\\\.\tx\n\\.\n\n\nselect 1;\n`
    expect(splitScript(text, 'postgres')).toEqual([
      { sql: 'COPY public.t (a, b) FROM stdin', line: 1, copy: { data: '1\ta;b\n2\t\\N\n\\\\.\tx\n' } },
      { sql: 'select 1', line: 8 },
    ])
  })

  it('reads COPY blocks without rows, with Windows line endings, and without an end', () => {
    const data = (text: string) => splitScript(text, 'postgres').map(({ copy }) => copy?.data)
    expect(data('copy t from stdin;\n\\.\nselect 1')).toEqual(['', undefined])
    expect(data('copy t from stdin;\r\n1\r\n\\.\r\nselect 1')).toEqual(['1\r\n', undefined])
    expect(data('copy t from stdin; -- rows\n1\n2')).toEqual(['1\n2'])
    expect(data('copy t from stdin')).toEqual([undefined])
    expect(data('copy t from stdin;')).toEqual([''])
    expect(data('copy t from stdin with (format csv);\n"a;\'"\n\\.')).toEqual(['"a;\'"\n'])
  })

  it('recognizes COPY statements that read no rows', () => {
    expect(
      split('postgres', "copy t to stdout; copy (select 'x from stdin') to stdout; select 1"),
    ).toHaveLength(3)
  })

  it('rejects SQL on the line of a COPY block', () => {
    expect(problemOf('postgres', 'copy t from stdin; select 1;\n1\n\\.\n').message).toContain('Line 1:')
  })

  it('follows standard_conforming_strings', () => {
    const text = String.raw`SET standard_conforming_strings = off; select 'it\'s;'; set standard_conforming_strings to 'on'; select '\'; select 2`
    expect(split('postgres', text)).toEqual([
      'SET standard_conforming_strings = off',
      String.raw`select 'it\'s;'`,
      `set standard_conforming_strings to 'on'`,
      String.raw`select '\'`,
      'select 2',
    ])
  })

  it('skips the commands by which pg_dump restricts psql', () => {
    const text = '\\restrict abc;\n\nselect 1;\n\n\\unrestrict abc;\n'
    expect(splitScript(text, 'postgres')).toEqual([{ sql: 'select 1', line: 3 }])
  })

  it('rejects other commands of psql, with line and command', () => {
    const problem = problemOf('postgres', 'select 1;\n\n\\connect other\nselect 2;')
    expect(problem.code).toBe('usage')
    expect(problem.message).toContain('Line 3: \\connect is a command of psql')
    expect(problem.next).toContain('psql')
  })
})

describe('postgres with standard_conforming_strings off', () => {
  it('treats a backslash as an escape until a script changes the setting', () => {
    const statements = [
      String.raw`select 'it\'s; so'`,
      'set standard_conforming_strings = on',
      String.raw`select 'C:\'`,
    ]
    const found = splitScript(statements.join(';'), 'postgres', { backslashEscapes: true })
    expect(found.map(({ sql }) => sql)).toEqual(statements)
  })
})

describe('mysql', () => {
  it.each([
    ['escaped quotes', String.raw`select 'it\'s; so', "a\";", '\\'`],
    ['backticks, which know no backslash', 'select 1 as `a``;\\`'],
    ['a hash comment', "select 1 # it's; so\n + 1"],
    ['a dash comment', "select 1 -- it's; so\n + 1"],
    ['two dashes that are no comment', 'select 1--1'],
    ['a hint', 'select /*+ NO_INDEX_MERGE(t) */ 1'],
    ['a division', 'select 4 / 2 * 3'],
    ['comments, which do not nest', 'select /* /* ; */ 1'],
  ])('keeps %s together', (_, statement) => {
    expect(split('mysql', `${statement}; select 1;`)).toEqual([statement, 'select 1'])
  })

  it('keeps comments that the server executes', () => {
    const text = `/* no */ /*!40101 SET NAMES utf8 */;\n/*!50003 SET @a = 'x;' */;\n/*M!100616 SET @b = 1 */;\n`
    expect(split('mysql', text)).toEqual([
      '/*!40101 SET NAMES utf8 */',
      "/*!50003 SET @a = 'x;' */",
      '/*M!100616 SET @b = 1 */',
    ])
  })

  it('skips the first line of mariadb-dump', () => {
    expect(split('mysql', '/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n\nselect 1;')).toEqual(
      ['select 1'],
    )
  })

  it('follows DELIMITER', () => {
    const body = 'create trigger t before insert on a for each row begin set @a = 1; set @b = 2; end'
    const text = `DELIMITER ;;\n/*!50003 ${body} */;;\ndelimiter ;\nselect 1;\nDELIMITER $$ ignored\n${body}$$\nselect 2 $$\nDELIMITER ;\nselect 3;`
    expect(split('mysql', text)).toEqual([`/*!50003 ${body} */`, 'select 1', body, 'select 2', 'select 3'])
    expect(splitScript(text, 'mysql').map(({ line }) => line)).toEqual([2, 4, 6, 7, 9])
  })

  it('ends statements at \\g and \\G', () => {
    expect(split('mysql', 'select 1\\g select 2\\G\nselect \\N')).toEqual([
      'select 1',
      'select 2',
      'select \\N',
    ])
  })

  it('interprets backslashes as the session does, statement by statement', () => {
    const escaped = String.raw`select 'it\'s; so'`
    const plain = String.raw`select 'C:\'`
    const read = (statements: string[], backslashEscapes: boolean) =>
      expect(
        splitScript(statements.join(';\n'), 'mysql', { backslashEscapes }).map(({ sql }) => sql),
      ).toEqual(statements)
    read([plain, 'select 1'], false)
    read([escaped, 'select 1'], true)
    read(
      [
        ...[plain, `/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */`, escaped],
        ...['SET @inner = @@sql_mode', `SET sql_mode = 'NO_BACKSLASH_ESCAPES'`, plain],
        ...['SET sql_mode = @inner', escaped, '/*!40101 SET SQL_MODE=@OLD_SQL_MODE */', plain],
      ],
      false,
    )
    read(
      [
        ...[`SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')`, plain],
        ...[`SET sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', '')`, escaped],
        ...[`SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'`, escaped, 'SET sql_mode = DEFAULT', escaped],
      ],
      true,
    )
  })

  it('follows the encoding that a script of bytes declares', () => {
    const script = [
      '/*!40101 SET NAMES sjis */',
      "insert into t values ('\x95\\', ';')",
      'set @old = @@character_set_client, names utf8mb4',
      "insert into t values ('\\';')",
      '/*!40101 SET character_set_client = @old */',
      'select `\x83\x60;`',
    ]
    expect(splitScript(script.join(';\n'), 'mysql', { bytes: true }).map(({ sql }) => sql)).toEqual(script)
  })

  it('rejects changing the database, and other commands of the client', () => {
    expect(problemOf('mysql', 'select 1;\nUSE other;\nselect 2').message).toContain('Line 2: «USE other»')
    expect(problemOf('mysql', 'source other.sql').message).toContain('«source other.sql»')
    expect(problemOf('mysql', '\\u other').message).toContain('\\u is a command of the mysql client')
    expect(split('mysql', 'select * from t use index (a)')).toHaveLength(1)
  })
})

describe('sqlite', () => {
  it.each([
    [
      'a trigger',
      "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END; SELECT ';END;'; END",
    ],
    [
      'a temporary trigger',
      'create temp trigger if not exists r after insert on t begin select 1; /* ; */ END -- end\n',
    ],
    ['an explained trigger', 'EXPLAIN QUERY PLAN CREATE TEMPORARY TRIGGER r DELETE ON t BEGIN SELECT 1; END'],
    ['brackets', 'select [a;b] from t'],
    ['backticks', 'select `a;` from t'],
    ['a backslash', String.raw`select '\'`],
    ['a table named trigger', 'create table "trigger" (a)'],
  ])('keeps %s together', (_, statement) => {
    expect(split('sqlite', `${statement}; select 1;`)).toEqual([statement.trimEnd(), 'select 1'])
  })

  it('treats BEGIN and END as statements', () => {
    expect(split('sqlite', 'begin; select 1; end; select .5')).toEqual([
      'begin',
      'select 1',
      'end',
      'select .5',
    ])
  })

  it('rejects commands of the shell', () => {
    expect(problemOf('sqlite', 'select 1;\n.read other.sql').message).toContain('Line 2: .read')
  })
})
