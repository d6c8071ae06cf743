import type { Databases, ServerFacts } from '../engine/databases.ts'
import { AfreshError } from '../errors.ts'

/** @throws AfreshError `server` if the role may not create databases, which every copy requires */
export function requirePrivileges(
  { mayCreateDatabases }: ServerFacts,
  { createGrant }: Databases,
  url: string,
): void {
  if (mayCreateDatabases) return
  throw new AfreshError('server', `The role "${new URL(url).username}" may not create databases.`, {
    next: `Grant it (${createGrant}), or use another role.`,
  })
}
