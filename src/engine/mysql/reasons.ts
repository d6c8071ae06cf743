/** Why a reset did what it did, as its report has it: phrases for people. */
export const IT_COUNTS = 'the server counts the writes to each table'
export const IT_LOOKS = 'it looks at every table'

export const WHY_SCAN = {
  changed: `${IT_LOOKS}: some were truncated or rewritten, which is not counted`,
  'needs-client': `${IT_LOOKS}: a trigger would fire, or history is kept, in one that was written`,
  unreliable: `${IT_LOOKS}: the server did not count all writes`,
  full: `${IT_LOOKS}: the server had no room for the new files of a TRUNCATE`,
} as const

export const DELETED_INSTEAD =
  'The disk or the memory of the server is full: rows were deleted, since TRUNCATE takes new files. A test may have filled it.'
