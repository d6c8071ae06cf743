import { AfreshError, messageOf } from '../../errors.ts'
import { type Statement, splitScript } from '../sql-script.ts'
import type { MysqlConnection, Send } from './connection.ts'

/** Statements sent together; a dump has thousands of INSERTs, and each round trip costs more than most of them. */
const TOGETHER = 200
const BYTES_TOGETHER = 1024 * 1024

/** Runs a file of SQL. Throws `AfreshError` (`baseline`) with file, line and statement. */
export async function runScript(connection: MysqlConnection, sql: string, label: string): Promise<void> {
  const statements = splitScript(sql, 'mysql')
  for (const { sql: text, line } of statements) refuseOtherDatabase(text, `${label}:${line}`)
  await connection.pinned(async (send) => {
    for (const group of groups(statements)) await runGroup(send, group, label)
  })
}

/**
 * Only INSERTs go together: a definition's text is kept by the server to the end of the message's statement,
 * semicolon included, and other statements may change how the next one is read.
 */
function groups(statements: readonly Statement[]): Statement[][] {
  const found: Statement[][] = []
  let bytes = 0
  for (const statement of statements) {
    const last = found.at(-1)
    const joins =
      last !== undefined &&
      last.length < TOGETHER &&
      bytes + statement.sql.length < BYTES_TOGETHER &&
      isInsert(statement) &&
      isInsert(last[0])
    if (joins) last.push(statement)
    else found.push([statement])
    bytes = joins ? bytes + statement.sql.length : statement.sql.length
  }
  return found
}

function isInsert(statement: Statement | undefined): boolean {
  return statement !== undefined && /^(insert|replace)\b/i.test(statement.sql)
}

async function runGroup(send: Send, group: readonly Statement[], label: string): Promise<void> {
  if (group.length === 1) return runOne(send, group[0], label)
  try {
    await send(group.map(({ sql }, place) => `SET @afresh_at = ${place};\n${sql}`).join('\n;\n'))
  } catch (cause) {
    const at = (await send('SELECT @afresh_at AS at').catch(() => []))[0]?.rows[0]?.at
    throw failure(group[Number(at ?? 0)], label, cause)
  }
}

async function runOne(send: Send, statement: Statement | undefined, label: string): Promise<void> {
  if (statement === undefined) return
  try {
    await send(statement.sql)
  } catch (cause) {
    throw failure(statement, label, cause)
  }
}

function failure(statement: Statement | undefined, label: string, cause: unknown): AfreshError {
  const text = (statement?.sql ?? '').replace(/\s+/g, ' ')
  const shown = text.length > 300 ? `${text.slice(0, 300)} …` : text
  return new AfreshError('baseline', `${label}:${statement?.line ?? 1}: ${messageOf(cause)}\n  ${shown}`, {
    next: 'Correct the script; nothing that ran before this statement is undone.',
    cause,
  })
}

const MENTIONED = /\b(database|schema)\b/i
// Of comments that some server executes, by its version, only the marks: https://dev.mysql.com/doc/refman/9.7/en/comments.html
const COMMENT = /\/\*M?!\d*|\/\*[\s\S]*?\*\/|\*\/|--(?=\s).*|#.*/g
const EVERY_COMMENT = /\/\*[\s\S]*?\*\/|--(?=\s).*|#.*/g
const OTHER_DATABASE = /^\s*(create|drop|alter)\s+(or\s+replace\s+)?(database|schema)\b/i
/** Without a name it means the one that the session is in. These words are reserved, so none of them is a name. */
const OWN_DATABASE = /^\s*alter\s+(database|schema)\s+((default|character)\s|collate[\s=])/i

/** A script that makes or drops databases would touch some that are not afresh's to change. */
function refuseOtherDatabase(sql: string, place: string): void {
  if (!MENTIONED.test(sql)) return
  const readings = [COMMENT, EVERY_COMMENT].map((comment) => sql.replaceAll(comment, ' '))
  if (readings.every((one) => !OTHER_DATABASE.test(one) || OWN_DATABASE.test(one))) return
  throw new AfreshError(
    'baseline',
    `${place}: the script makes or changes a database of its own.\n  ${sql}`,
    {
      next: 'Remove the line (and USE): afresh has made the database that the script is to fill.',
    },
  )
}
