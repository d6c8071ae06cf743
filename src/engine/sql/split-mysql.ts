import { type ClientCharset, charsetAfter } from './client-charset.ts'
import { Scanner, type SplitOptions, type Statement } from './scanner.ts'
import { type EscapeMode, escapesAfter } from './sql-mode.ts'

const DELIMITER = /delimiter[ \t]+(\S+)[^\n]*/iy
const OTHER_DATABASE = /(use(?=[\s`"/#])|source(?=\s))[^\n;]*/iy
const LINE_COMMENT = /#|--(?=\s|$)/y
// A comment that the server executes (`/*!40101`, MariaDB's `/*M!`), or an optimizer hint.
const LIVE_COMMENT = /\/\*(?:M?!|\+)/y
/** The first line of mariadb-dump, in both forms: a command to the mariadb client, disguised as a comment. */
const SANDBOX = /\/\*M?!999999\\-/y

/**
 * Follows the mysql and mariadb clients (`add_line` in `client/mysql.cc`), which learn NO_BACKSLASH_ESCAPES
 * from the server. They need to know the character set of a file; here it is the one that the file declares.
 */
export function splitMysql(
  text: string,
  { backslashEscapes = true, bytes = false }: SplitOptions = {},
): Statement[] {
  const scanner = new Scanner(text)
  const mode = escapesAfter(backslashEscapes)
  const charset = bytes ? charsetAfter('utf8mb4') : undefined
  let delimiter = ';'
  while (!scanner.atEnd) {
    const command = scanner.pending ? null : scanner.match(DELIMITER)
    if (command !== null) {
      delimiter = command[1] ?? delimiter
      scanner.pos += command[0].length
    } else if (scanner.looksAt(delimiter)) {
      const sql = scanner.finish(delimiter.length)?.sql
      mode.read(sql)
      charset?.read(sql)
    } else if (!skipBlank(scanner)) {
      if (!scanner.pending) refuseOtherDatabase(scanner)
      takeCode(scanner, mode, charset?.pairs)
    }
  }
  return scanner.done()
}

function skipBlank(scanner: Scanner): boolean {
  const { char } = scanner
  if (char <= ' ') scanner.pos += 1
  else if ((char === '#' || char === '-') && scanner.match(LINE_COMMENT) !== null) scanner.skipLine()
  else if (char === '/' && isDeadComment(scanner)) scanner.skipPast('*/', 2)
  else return false
  return true
}

function isDeadComment(scanner: Scanner): boolean {
  return scanner.looksAt('/*') && (scanner.match(SANDBOX) !== null || scanner.match(LIVE_COMMENT) === null)
}

function takeCode(scanner: Scanner, { escapes }: EscapeMode, pairs: ClientCharset['pairs']): void {
  const { char } = scanner
  if (pairs !== undefined && `'"\``.includes(char)) scanner.takePaired(pairs, escapes && char !== '`')
  else if (pairs?.(char.charCodeAt(0), scanner.text.charCodeAt(scanner.pos + 1))) scanner.take(2)
  else if (escapes && (char === "'" || char === '"')) scanner.takeEscaped()
  else if (char === "'" || char === '"' || char === '`') scanner.takeQuoted()
  else if (char === '\\') takeBackslash(scanner)
  else scanner.take(scanner.match(LIVE_COMMENT)?.[0].length ?? 1)
}

/**
 * `\g` and `\G` end a statement, and `\N` is an old form of NULL. Other backslash sequences are client
 * commands.
 */
function takeBackslash(scanner: Scanner): void {
  const command = scanner.text.slice(scanner.pos, scanner.pos + 2)
  if (command === '\\g' || command === '\\G') scanner.finish(2)
  else if (command === '\\N') scanner.take(2)
  else throw scanner.fail(`${command} is a command of the mysql client, not SQL.`, 'Remove it.')
}

/** A script that switches to another database would change one that afresh does not own. */
function refuseOtherDatabase(scanner: Scanner): void {
  const command = scanner.match(OTHER_DATABASE)?.[0].trim()
  if (command === undefined) return
  throw scanner.fail(
    `«${command}» leaves the database that afresh made for this script.`,
    'Remove the line; mysqldump writes none without --databases.',
  )
}
