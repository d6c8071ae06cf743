import type { ServerFacts } from '../engine/databases.ts'
import { AfreshError } from '../errors.ts'

/** @throws AfreshError `server` if the role may not create databases, which every copy requires */
export function requirePrivileges({ mayCreateDatabases }: ServerFacts, url: string): void {
  if (mayCreateDatabases) return
  throw new AfreshError('server', `The role "${new URL(url).username}" may not create databases.`, {
    next: 'Grant it (PostgreSQL: ALTER ROLE … CREATEDB; MySQL: GRANT ALL ON `afresh\\_%`.* TO …), or use another role.',
  })
}
