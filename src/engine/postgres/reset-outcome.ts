import type { Plan } from '../../plan/plan.ts'
import type { Row } from '../connection.ts'
import type { Outcome } from '../resetter.ts'
import { REASONS } from './find-dirty.ts'
import type { WalAccess } from './wal-reader.ts'

/** What the function of a reset returns. */
interface Report {
  /** Why everything was scanned; null if the WAL was read. */
  readonly reason: string | null
  readonly bytes?: number
  readonly dirty: readonly string[] | null
  /** `,[step,position,by truncate,rows]` for each statement. */
  readonly ran: string
  readonly restarted: readonly number[] | null
  readonly stale: boolean | null
  /** Another session has written and not ended its transaction, although it locks no table. */
  readonly writing: boolean | null
}

export function outcomeOf(plan: Plan, journal: WalAccess, row: Row | undefined): Outcome {
  if (row === undefined) throw new Error('the reset returned nothing')
  if (row.outcome === null)
    return { detector: journal.readable ? 'wal' : 'scan', why: UNTOUCHED, dirty: [], ran: [] }
  const { reason, bytes = 0, dirty, ran, restarted, stale, writing } = row.outcome as Report
  const statements = JSON.parse(`[${ran.slice(1)}]`) as [number, number, boolean, number][]
  const steps = [
    ...statements.flatMap(([step, index, truncated, rows]) =>
      index === 0 ? [{ step, rows: truncated ? undefined : rows, truncated }] : [],
    ),
    ...(restarted ?? []).map((step) => ({ step, rows: undefined, truncated: false })),
  ]
  const rest = {
    dirty: dirty ?? [],
    ran: steps,
    stale: stale === true,
    notes: writing === true ? [OPEN] : [],
  }
  if (reason !== null) return { detector: 'scan', why: whyScan(journal, reason), ...rest }
  // The WAL names more than what changed: subjects with nothing to restore were not dirty.
  const done = steps.filter(({ step, rows }) => rows !== 0 || !COUNTED.has(plan.steps[step]?.kind))
  const mended = new Set(done.flatMap(({ step }) => plan.steps[step]?.when ?? []))
  const why = `the journal since the last reset is short (${bytes} bytes)`
  return { ...rest, detector: 'wal', why, dirty: rest.dirty.filter((id) => mended.has(id)), ran: done }
}

const COUNTED: ReadonlySet<string | undefined> = new Set(['delete', 'delete-differing', 'insert-missing'])

const OPEN = 'Another session wrote and has not ended its transaction; a later reset finds what it commits.'

const UNTOUCHED = 'nothing was written since the last reset'

function whyScan(journal: WalAccess, reason: string): string {
  if (!journal.readable) return journal.why
  return Object.entries(REASONS).find(([name]) => name === reason)?.[1] ?? reason
}
