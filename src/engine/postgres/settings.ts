/** A setting of a session and its value, as SQL. */
export type Setting = readonly [name: string, value: string]

/** Every row is seen, or an error says why not; every value is written in one way and can be read again. */
export const READABLE: readonly Setting[] = [
  ['row_security', 'off'],
  ['extra_float_digits', '1'],
  ['datestyle', 'ISO'],
  ['intervalstyle', 'postgres'],
  ['bytea_output', 'hex'],
  ['timezone', 'UTC'],
  ['xmloption', 'content'],
]

/** `SET` for a session of our own; `SET LOCAL` ends with the message that it is sent in. */
export function settingsSql(how: 'SET' | 'SET LOCAL', settings: readonly Setting[]): string {
  return settings.map(([name, value]) => `${how} ${name} = ${value}`).join('; ')
}
