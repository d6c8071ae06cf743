import { type Lease, lease as leaseDatabase } from '../database/lease.ts'
import { namesFor } from '../database/names.ts'
import type { Lock } from '../engine/claim.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import type { PristineCopy } from '../engine/resetter.ts'
import { withUndo } from '../errors.ts'
import type { KnownCatalog } from '../reset/options.ts'
import { openSession, type ResetSession } from '../reset/session.ts'
import type { Progress } from '../util/progress.ts'
import { fingerprintOf, type HarnessHandle, isAtBaseline } from './handle.ts'

/** How to lease a database again after its lease was lost, or after no reset could restore it. */
export interface ReacquiredLease {
  /** The lock of the previous lease, whose session the server may not have ended yet. */
  readonly lost?: Lock | undefined
  /** Recreate the database without checking it: its contents are not a baseline. */
  readonly mustBeNew?: boolean
}

interface LeaseInput {
  /** The slot to try first. */
  readonly first: number
  readonly again?: ReacquiredLease | undefined
  readonly made?: MadeHere | undefined
}

export interface OpenLease {
  readonly lease: Lease
  readonly session: ResetSession
}

/** What this process knows of the databases that it makes. */
export interface MadeHere {
  /** The mark of the first database, until it is leased. */
  readonly untouched: string
  /** What the catalog of a copy contains. */
  readonly catalog: KnownCatalog
  /** See `Program`. */
  readonly findings: Map<string, string>
  /** See `Program`. */
  readonly pristine: PristineCopy
  readonly progress?: Progress
}

export async function openLease(
  engine: Engine,
  databases: Databases,
  handle: HarnessHandle,
  { first, again = {}, made }: LeaseInput,
): Promise<OpenLease> {
  const names = namesFor(handle.project, databases.maxNameBytes)
  const lease = await leaseDatabase({
    engine,
    databases,
    adminUrl: handle.adminUrl,
    template: handle.template,
    nameOf: (slot) => names.database(handle.run, slot),
    firstSlot: first,
    ...again,
    untouched: made?.untouched,
    progress: made?.progress,
    isClean: (connection) => isAtBaseline(engine, connection, handle.baseline),
  })
  const { connection, claim } = lease
  const { options, template, baseline, costs } = handle
  return withUndo(
    async () => {
      const known = lease.isNew && engine.capabilities.copiesShareIds ? made?.catalog : undefined
      const { findings, pristine } = (known && made) ?? {}
      const from = { claim, known, findings, pristine, template, baseline: fingerprintOf(baseline), costs }
      return { lease, session: await openSession({ engine, connection, options, ...from }) }
    },
    () => lease.release(),
  )
}
