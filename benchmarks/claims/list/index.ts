import type { Claim } from '../claim.ts'
import { deleteCounter, truncateCounter } from './counters.ts'
import { logged } from './journal.ts'
import { foreignKeys, privilege, triggers } from './rules.ts'
import { locks, snapshot } from './sessions.ts'
import { space, vacuum } from './space.ts'
import { batches, faster, withoutWhere } from './speed.ts'
import { commits, rollback } from './transactions.ts'

export const CLAIMS: readonly Claim[] = [
  rollback,
  commits,
  faster,
  withoutWhere,
  batches,
  logged,
  truncateCounter,
  deleteCounter,
  triggers,
  foreignKeys,
  privilege,
  locks,
  snapshot,
  space,
  vacuum,
]
