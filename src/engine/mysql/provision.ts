import { withUndoStack } from '../../util/cleanup-stack.ts'
import type { Connection } from '../connection.ts'
import { type MarkKind, newMark } from '../ownership-mark.ts'
import { deleteMarkSql, identityOf, writeRegisteredMark } from './ownership.ts'
import { ident, literal } from './quote.ts'

/**
 * Creates a database whose mark is written first: a killed process leaves nothing that a later one does not
 * recognize as afresh's.
 *
 * @param options clauses of CREATE DATABASE
 * @param fill creates the content, before the database counts as complete
 * @returns the final mark
 * @throws the error of the server, 1007 if the database exists; nothing is left behind
 */
export async function provision(
  connection: Connection,
  name: string,
  options = '',
  fill: () => Promise<void> = async () => {},
): Promise<string> {
  const create = `CREATE DATABASE ${ident(name)} ${options}`
  // No mark may claim a database that exists: the statement raises the server's own error, unless the database was
  // dropped meanwhile.
  const { isCreated, server } = await inspect(connection, name)
  const markOf = (kind: MarkKind) => newMark({ server, database: encodeURIComponent(name) }, kind)
  if (isCreated) await connection.query(create)
  await writeRegisteredMark(connection, name, markOf('unfinished'))
  return withUndoStack(async (undo) => {
    undo.add(async () => void (await connection.query(deleteMarkSql(name))))
    if (!isCreated) await connection.query(create)
    undo.add(async () => void (await connection.query(`DROP DATABASE IF EXISTS ${ident(name)}`)))
    await fill()
    const mark = markOf('made')
    await writeRegisteredMark(connection, name, mark)
    return mark
  })
}

async function inspect(connection: Connection, name: string) {
  const [row] = await connection.query(
    `SELECT ${await identityOf(connection)} AS server,
       EXISTS (SELECT 1 FROM information_schema.schemata WHERE schema_name = ${literal(name)}) AS present`,
  )
  return { isCreated: Number(row?.present) === 1, server: String(row?.server) }
}
