import { AfreshError, codeOf } from '../errors.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'is full',
  EDQUOT: 'is full: the disk quota of this user is used up',
  EFBIG: 'takes no files of that size (ulimit -f)',
}

/**
 * Runs `body`, which writes files into the folder.
 *
 * @param variable the environment variable that chooses another folder
 * @throws AfreshError `server` if there is no room for them
 */
export async function withRoom<T>(folder: string, variable: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (cause) {
    const code = codeOf(cause) ?? ''
    const isFull = /No space left on device|Disk quota exceeded|File too large/.exec(saidBy(cause))?.[0]
    const why = REASONS[code] ?? (isFull === undefined ? undefined : `takes no more files (${isFull})`)
    if (why === undefined) throw cause
    throw new AfreshError(
      'server',
      `The folder ${folder} ${why}: the files of the embedded PostgreSQL do not fit.`,
      {
        next: `Make room there for at least 100 MB, or set ${variable} to a folder that has it.`,
        cause,
      },
    )
  }
}

/** What initdb reports, which afresh has named. */
function saidBy(cause: unknown): string {
  return cause instanceof AfreshError && cause.message.startsWith('initdb failed') ? cause.message : ''
}
