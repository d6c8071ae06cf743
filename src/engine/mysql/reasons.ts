/** Reasons in the report of a reset: phrases for people. */
export const REASON_COUNTERS = 'the server counts the writes to each table'
export const REASON_SCAN = 'it looks at every table'

export const WHY_SCAN = {
  changed: `${REASON_SCAN}: some were truncated or rewritten, which is not counted`,
  'needs-client': `${REASON_SCAN}: a trigger would fire, or history is kept, in one that was written`,
  unreliable: `${REASON_SCAN}: the server did not count all writes`,
  full: `${REASON_SCAN}: the server had no room for the new files of a TRUNCATE`,
} as const

export const DELETED_INSTEAD =
  'The disk or the memory of the server is full: rows were deleted, since TRUNCATE takes new files. A test may have filled it.'
