/**
 * In: the arguments of `afresh bench`, as text.
 * Out: numbers, names and settings.
 * Called by `commands/bench.ts`.
 */
import { InvalidArgumentError } from 'commander'
import { CASES } from '../../bench/cases.ts'
import { METHODS } from '../../bench/methods.ts'
import type { MethodId } from '../../engine/bench-dialect.ts'

export function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/**
 * Numbers of rows, ascending: `1000,100000`, `1e6`, `10k,1M`, `1_000_000`. Thousands may have commas where that
 * is no list: `1,000,000`, or `1,000 1,000,000`.
 */
export function rowNumbers(text: string): number[] {
  const all = text
    .split(/[\s;]+/)
    .filter((part) => part !== '')
    .flatMap((part) => (isGrouped(part) ? [numberOf(part.replaceAll(',', ''))] : list(part).map(numberOf)))
  if (all.length === 0) throw new InvalidArgumentError(WHOLE_NUMBERS)
  return [...new Set(all)].sort((a, b) => a - b)
}

const WHOLE_NUMBERS = 'They must be whole numbers, separated by commas: 1000,100000.'

/** Nobody lists `000` or `050`, so `1,000` is a thousand; `10,100` is a list. */
function isGrouped(text: string): boolean {
  return /^\d{1,3}(,\d{3})+$/.test(text) && /,0/.test(text)
}

function numberOf(text: string): number {
  if (/^0\d/.test(text)) {
    throw new InvalidArgumentError(
      `'${text}' looks like a part of a larger number. Write 1000000 or 1_000_000, and commas in between only.`,
    )
  }
  const [, digits, unit = ''] = /^(\d[\d_]*(?:\.\d+)?(?:e\d+)?)([kM]?)$/.exec(text) ?? []
  const number = Number(digits?.replaceAll('_', '')) * (unit === '' ? 1 : unit === 'k' ? 1e3 : 1e6)
  if (Number.isSafeInteger(number)) return number
  throw new InvalidArgumentError(WHOLE_NUMBERS)
}

/** `shared_buffers=4GB`; can be given repeatedly. */
export function setting(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([a-z][\w.-]*)=(.+)$/i.exec(text) ?? []
  if (name !== undefined && value !== undefined) return { ...before, [name]: value }
  throw new InvalidArgumentError('It must be a setting of the server and its value: shared_buffers=4GB.')
}

/** `1.25` */
export function factor(text: string): number {
  const number = Number(text)
  if (Number.isFinite(number) && number >= 1) return number
  throw new InvalidArgumentError('It must be a number from 1 on: 1.25 fails what takes a quarter longer.')
}

export function methodIds(text: string): MethodId[] {
  const known = METHODS.map(({ id }) => id)
  return list(text).map((part) => {
    const found = known.find((id) => id === part)
    if (found === undefined)
      throw new InvalidArgumentError(`There is no method '${part}': ${known.join(', ')}.`)
    return found
  })
}

export function caseIds(text: string): string[] {
  const known = CASES.map(({ id }) => id)
  const ids = list(text)
  if (ids.includes('all')) return known
  const unknown = ids.find((part) => !known.includes(part))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no case '${unknown}': ${known.join(', ')}.`)
  return ids
}

export function seconds(text: string): number {
  const number = Number(text)
  if (Number.isFinite(number) && number > 0) return number
  throw new InvalidArgumentError('It must be a number of seconds above 0.')
}
