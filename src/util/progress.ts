/** What a harness does while it starts or copies: events, and their words. Pure. */

/**
 * `choose`: looks for a server; `pull`: an image; `start`: the server; `connect`: to an existing one; `check`:
 * whether the server may be used; `clean`: what killed runs left; `wait`: for another process that builds the
 * same template; `continue`: from a template whose last migration is `label`; `migrate`; `fixtures`; `copy`: the template; `read`: the schema and rows of the template;
 * `measure`: DELETE and TRUNCATE; `notice`: `label` is a sentence for people.
 */
export type ProgressPhase =
  | 'choose'
  | 'pull'
  | 'start'
  | 'connect'
  | 'check'
  | 'clean'
  | 'wait'
  | 'continue'
  | 'migrate'
  | 'fixtures'
  | 'copy'
  | 'read'
  | 'measure'
  | 'notice'

/** A step has begun. Plain data. */
export interface ProgressEvent {
  readonly phase: ProgressPhase
  /** What the step works on: an image, a host, a file, a command without passwords. */
  readonly label?: string
  /** The number of the file in work, counted from 1. */
  readonly current?: number
  /** The number of files. */
  readonly total?: number
}

export type Progress = (event: ProgressEvent) => void

export const noProgress: Progress = () => {}

const WORDS: Readonly<Record<Exclude<ProgressPhase, 'notice'>, string>> = {
  choose: 'looking for a server',
  pull: 'pulling',
  start: 'starting',
  connect: 'connecting to',
  check: 'checking that the server holds no rows of others',
  clean: 'dropping what killed runs left',
  wait: 'waiting for another process that builds the template',
  continue: 'continuing after migration',
  migrate: 'migrating',
  fixtures: 'loading fixtures',
  copy: 'copying the template',
  read: 'reading the schema and rows of the template',
  measure: 'measuring DELETE and TRUNCATE',
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a file's name must not move the cursor
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g

/** In words, on one line: `migrating 7/40: 0007_orders.sql`. */
export function describeProgress({ phase, label = '', current, total }: ProgressEvent): string {
  const what = label.replaceAll(CONTROL, ' ').trim()
  if (phase === 'notice') return what
  const words = WORDS[phase]
  if (phase === 'migrate' || phase === 'fixtures' || phase === 'continue') {
    const files = total === undefined ? '' : ` ${current}/${total}`
    return what === '' ? `${words}${files}` : `${words}${files}: ${what}`
  }
  return what === '' ? words : `${words} ${what}`
}
