import { inSeconds, type Setting } from './session.ts'

/** Settings with session scope. */
export function eraseSettings(recursionLimit: string, lockTimeoutMs: number): Setting[] {
  return [
    { name: 'foreign_key_checks', value: '1' },
    { name: 'sql_safe_updates', value: '0' },
    { name: 'sql_select_limit', value: '18446744073709551615' },
    { name: 'sql_big_selects', value: '1' },
    // Existing rows are copied unchanged, including dates that the server no longer accepts.
    {
      name: 'sql_mode',
      value: `CONCAT(REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', ''), ',ALLOW_INVALID_DATES')`,
    },
    ...lockTimeoutSettings(lockTimeoutMs),
    { name: recursionLimit, value: '4294967295' },
  ]
}

export function lockTimeoutSettings(lockTimeoutMs: number): Setting[] {
  const seconds = String(inSeconds(lockTimeoutMs))
  return [
    { name: 'innodb_lock_wait_timeout', value: seconds },
    { name: 'lock_wait_timeout', value: seconds },
  ]
}
