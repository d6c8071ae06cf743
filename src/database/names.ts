import { createHash, randomBytes, randomInt } from 'node:crypto'
import { time } from '../util/clock.ts'

/**
 * The names of everything that afresh creates: `afresh_<project>_<run>_<slot>`, `afresh_<project>_t_<fingerprint>`
 * and `afresh_<project>_kept_<id>`. Only lower case letters, digits and underscores, so that no name needs
 * quotes.
 */
export interface Names {
  template(fingerprint: string): string
  database(run: string, slot: number): string
  /** For measurements: a number that no slot has. */
  temporary(run: string): string
  /** For the rows of a snapshot: a random number above that of any slot. */
  copy(run: string): string
  /** For a copy that stays after its run: of no run, and dropped when there are newer ones. */
  kept(): string
}

/** Ten characters: six of the time in milliseconds, which repeat after 25 days, and four random ones. */
export function newRunId(now: number = time()): string {
  return (
    now.toString(36).slice(-6).padStart(6, '0') +
    randomBytes(3).readUIntBE(0, 3).toString(36).slice(-4).padStart(4, '0')
  )
}

/** @param maxBytes the longest name that the engine keeps; only the project is shortened to fit */
export function namesFor(project: string, maxBytes: number): Names {
  const name = (suffix: string) =>
    `afresh_${shortened(plain(project), maxBytes - 'afresh__'.length - suffix.length)}_${suffix}`
  return {
    template: (fingerprint) => name(`t_${fingerprint.slice(0, 12)}`),
    database: (run, slot) => name(`${run}_${slot}`),
    temporary: (run) => name(`${run}_9999`),
    copy: (run) => name(`${run}_${randomInt(10_000, 1_000_000)}`),
    kept: () => name(`kept_${newKeptId()}`),
  }
}

/** The run of a test database; `undefined` for any other name. */
export function runOf(name: string): string | undefined {
  return /^afresh_[a-z0-9_]+_([a-z0-9]{10})_\d+$/.exec(name)?.[1]
}

const RUN_AGE_LIMIT_MS = 36 ** 6

/** Milliseconds since the run began, if that is less than 25 days ago. */
export function runAgeMs(run: string, now: number = time()): number {
  const began = Number.parseInt(run.slice(0, 6), 36)
  return (((now - began) % RUN_AGE_LIMIT_MS) + RUN_AGE_LIMIT_MS) % RUN_AGE_LIMIT_MS
}

/** Whether `name` is a template of any project. */
export function isTemplateName(name: string): boolean {
  return /^afresh_[a-z0-9_]+_t_[0-9a-f]{12}$/.test(name)
}

/** Whether `name` is a template of the same project. */
export function isTemplateOf(name: string, names: Names): boolean {
  const prefix = names.template('').slice(0, -1)
  return name.startsWith(`${prefix}_`) && isTemplateName(name)
}

/** Eight characters of the time in milliseconds, until the year 2059, and four random ones. */
function newKeptId(): string {
  return time().toString(36).padStart(8, '0') + randomInt(36 ** 3, 36 ** 4).toString(36)
}

const KEPT_ID_LENGTH = 12

/** Milliseconds since a kept copy was made; `undefined` for any other name. */
export function keptAgeMs(name: string, now: number = time()): number | undefined {
  const made = /^afresh_[a-z0-9_]+_kept_([a-z0-9]{8})[a-z0-9]{4}$/.exec(name)?.[1]
  // The clock of another machine may be ahead.
  return made === undefined ? undefined : Math.max(0, now - Number.parseInt(made, 36))
}

/** Whether `name` is a kept copy of the same project. */
export function isKeptOf(name: string, names: Names): boolean {
  const example = names.kept()
  const prefix = example.slice(0, -KEPT_ID_LENGTH)
  return name.length === example.length && name.startsWith(prefix) && keptAgeMs(name) !== undefined
}

function plain(project: string): string {
  return (
    project
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '') || 'project'
  )
}

/** Ends in a hash of the whole text, so that two long names stay different. */
function shortened(text: string, length: number): string {
  if (text.length <= Math.min(length, 24)) return text
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 6)
  return `${text.slice(0, Math.min(length, 24) - 7)}_${hash}`
}
