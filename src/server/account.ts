import { readFileSync } from 'node:fs'
import { AfreshError } from '../errors.ts'

/** A user of this machine, as `spawn` takes it. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/**
 * The account that PostgreSQL is to run as: `undefined` for our own; an unprivileged one where we are root,
 * as which PostgreSQL refuses to run. It must be in the user database: initdb looks its name up.
 */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  )
  // `nobody` first: as `postgres` a test could read the files of the machine's own server.
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
