import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { AfreshError } from '../../errors.ts'

/** A user of this machine, as options of `spawn`. */
export interface UnprivilegedUser {
  readonly uid: number
  readonly gid: number
}

/**
 * The account that PostgreSQL runs as: `undefined` for the current user; for root, as which PostgreSQL
 * refuses to run, an unprivileged one. It must be in the user database: initdb looks up its name.
 */
export function unprivilegedUser(): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) {
    requireUserName()
    return undefined
  }
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  )
  // `nobody` first: as `postgres`, a test could read the files of the machine's own server.
  const found = users.get('nobody') ?? users.get('postgres') ?? users.get('daemon')
  if (found === undefined) {
    throw new AfreshError(
      'server',
      'PostgreSQL does not run as root, and this machine has no user `nobody`.',
      {
        next: 'Run the tests as an ordinary user, or add one: useradd --system nobody.',
      },
    )
  }
  return found
}

/**
 * initdb and postgres look up the name of their user, which is missing in a container started with `--user
 * 12345`.
 *
 * @throws AfreshError `server`
 */
function requireUserName(): void {
  if (process.getuid === undefined) return
  try {
    userInfo()
  } catch (cause) {
    throw new AfreshError(
      'server',
      `This user (${process.getuid()}) has no entry in /etc/passwd, and PostgreSQL does not run without one.`,
      {
        next: 'Run as a user that has one (docker run --user node, or mount an /etc/passwd), or use a container or existing(url).',
        cause,
      },
    )
  }
}
