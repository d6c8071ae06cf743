import { AfreshError, messageOf } from '../errors.ts'
import type { RunningServer } from './running-server.ts'

// Messages of PostgreSQL and the system; of MySQL and MariaDB (ER_RECORD_FILE_FULL, also of MEMORY tables).
const FULL = /No space left on device|The table '[^']*' is full/

/** Adds advice if the server's files may have filled the memory they are in; else returns the error. */
export function explainFullMemory(
  error: unknown,
  { data, kind }: Pick<RunningServer, 'kind' | 'data'>,
): unknown {
  if (data !== 'memory' || !FULL.test(messageOf(error))) return error
  const code = error instanceof AfreshError ? error.code : 'server'
  const [what = ''] = messageOf(error).split('\n  → ')
  const spec = kind === 'embedded' ? "embedded({ data: 'disk' })" : "container(…, { data: 'disk' })"
  return new AfreshError(code, what, {
    next: `The server's files are kept in memory, and that may be full: keep them on a disk, ${spec}.`,
    cause: error,
  })
}
