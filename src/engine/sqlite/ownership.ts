import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { AfreshError, RefusedError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Ownership } from '../ownership.ts'
import { isMarkOf } from '../ownership-mark.ts'
import { type SqliteConnection, sqliteOf } from './connection.ts'

/**
 * The mark is in a file beside the database, `<database>.afresh`: afresh stores nothing in the database
 * itself. It names the database file's device, inode and path, so that a copy, a restored or a replaced file
 * does not carry it.
 */
export const ownership: Ownership = {
  read: async (connection) => markOf(sqliteOf(connection)),
  expected: async (connection) => identityOf(sqliteOf(connection)),

  async write(connection, mark) {
    const { file } = sqliteOf(connection)
    if (file === undefined) {
      throw new AfreshError('usage', 'A database in memory needs no mark.', { next: 'Reset it as it is.' })
    }
    writeMark(sidecarOf(file), mark)
    return mark
  },

  async erase(connection, mark) {
    const { file } = sqliteOf(connection)
    if (file !== undefined && markOf(sqliteOf(connection)) === mark) rmSync(sidecarOf(file))
  },

  proof: async (connection, { mark }) => {
    const opened = sqliteOf(connection)
    return () => assertMark(opened, mark)
  },

  // The error of `assertMark` says why.
  whyRefused: async () => undefined,

  isPrivate: async (connection: Connection) => sqliteOf(connection).file === undefined,
}

/** Throws `RefusedError` unless the database carries this mark and is the file that the mark was made for. */
export function assertMark(connection: SqliteConnection, mark: string | undefined): void {
  const { file } = connection
  if (file === undefined) return
  if (mark === undefined) {
    throw new RefusedError(`${file} is a file, and no mark was agreed on for it; nothing was changed.`, {
      next: 'Attach to it, so that its ownership is inspected first.',
    })
  }
  const found = markOf(connection)
  const identity = identityOf(connection)
  if (found === mark && isMarkOf(mark, identity)) return
  throw new RefusedError(
    `${file} does not carry the mark that it had when the baseline was taken; nothing was changed.\n` +
      `  expected: ${mark}\n  found:    ${found ?? `none (${sidecarOf(file)})`}\n  file:     ${identity.server}:${identity.database}`,
    {
      next: 'The file was moved, replaced or handed back: close the handle and attach to the database again.',
    },
  )
}

/** Writes a new file and renames it over the old one: writing through a link would change another file. */
function writeMark(sidecar: string, mark: string): void {
  const fresh = `${sidecar}.${randomUUID()}`
  writeFileSync(fresh, `${mark}\n`, { flag: 'wx' })
  renameSync(fresh, sidecar)
}

function markOf({ file }: SqliteConnection): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(sidecarOf(file), 'utf8').trim() || undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function identityOf({ file }: SqliteConnection): { server: string; database: string } {
  if (file === undefined) return { server: 'memory', database: 'memory' }
  const { dev, ino } = fileIdentity(file)
  return { server: `${dev}-${ino}`, database: createHash('sha256').update(file).digest('hex').slice(0, 16) }
}

function fileIdentity(file: string): { dev: bigint; ino: bigint } {
  const { dev, ino } = statSync(file, { bigint: true, throwIfNoEntry: false }) ?? { dev: 0n, ino: 0n }
  return { dev, ino }
}

function sidecarOf(file: string): string {
  return `${file}.afresh`
}
