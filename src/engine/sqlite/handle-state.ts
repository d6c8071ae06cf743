import { AfreshError } from '../../errors.ts'
import type { Row } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { assertBaseline, type Baseline } from './baseline.ts'
import type { SqliteConnection } from './connection.ts'
import type { Database } from './driver.ts'
import { assertMark } from './ownership.ts'
import { quoted } from './statements.ts'
import { asStep } from './step-error.ts'
import { inWriteTransaction } from './transaction.ts'

/** What is no row and yet outlives a test: temporary objects and settings of the handle, numbers of the file. */
export interface HandleState {
  /** Reads a few numbers; false also if it may only have changed. */
  isAsBefore(): boolean
  /** Returns what was restored, as sentences. Throws `AfreshError` (`server`) if the baseline is lost. */
  restore(connection: SqliteConnection, program: Program): Promise<string[]>
}

/** Both are in the file's header, and part of its transactions. */
const NUMBERS = ['user_version', 'application_id'] as const
/** They change what later statements return, or whether they fail. */
const SWITCHES = [
  ...(['foreign_keys', 'ignore_check_constraints', 'recursive_triggers', 'writable_schema'] as const),
  ...(['reverse_unordered_selects', 'full_column_names', 'short_column_names', 'trusted_schema'] as const),
  ...(['read_uncommitted', 'legacy_alter_table', 'max_page_count', 'case_sensitive_like'] as const),
]
/** This one cannot be read. */
const READ: Partial<Record<Setting, string>> = { case_sensitive_like: `SELECT NOT ('a' LIKE 'A')` }
type Setting = (typeof NUMBERS)[number] | (typeof SWITCHES)[number]

interface TempObject {
  readonly kind: string
  readonly name: string
  readonly sql: string
}

/** Remembers the state of the handle. Call it once the baseline is captured. */
export function handleStateOf(db: Database, baseline: Baseline): HandleState {
  const readCookie = db.prepare('PRAGMA temp.schema_version')
  const cookieOf = () => String(Object.values(readCookie()[0] ?? {})[0])
  const settingsOf = settingsReader(db)
  const settings = settingsOf()
  const objects = tempObjects(db)
  let seen = cookieOf()
  const moved = () => [...settingsOf()].filter(([name, value]) => settings.get(name) !== value)
  return {
    isAsBefore: () => cookieOf() === seen && moved().length === 0,
    async restore(connection, program) {
      const changed = moved()
      // Some rename the columns of results, which everything else here reads by name.
      restoreSwitches(db, settings, changed)
      assertBaseline(db, baseline)
      const notes = await restoreNumbers(connection, program, settings, changed)
      notes.push(...(await restoreTemp(connection, program, objects)))
      seen = cookieOf()
      return notes
    },
  }
}

/** A switch is read when the statement is compiled; setting one expires all statements (`OP_Expire`). */
function settingsReader(db: Database): () => Map<Setting, bigint> {
  const reads = [...NUMBERS, ...SWITCHES]
    .map((name) => ({ name, read: db.prepare(READ[name] ?? `PRAGMA main.${name}`) }))
    .filter(({ read }) => returnsRow(read))
  return () => new Map(reads.map(({ name, read }) => [name, Object.values(read()[0] ?? {})[0] as bigint]))
}

/** SQLite ignores a pragma that this build does not have; better-sqlite3 rejects to read its rows. */
function returnsRow(read: () => readonly Row[]): boolean {
  try {
    return read().length > 0
  } catch {
    return false
  }
}

type Moved = readonly (readonly [Setting, bigint])[]

const isNumber = ([name]: Moved[number]) => NUMBERS.some((number) => number === name)

/** Outside of a transaction, which would ignore the switch of foreign keys. */
function restoreSwitches(db: Database, before: ReadonlyMap<Setting, bigint>, moved: Moved): void {
  for (const [name] of moved.filter((entry) => !isNumber(entry)))
    db.exec(`PRAGMA main.${name} = ${before.get(name)}`)
}

/** Returns what was restored, switches too, as sentences. */
async function restoreNumbers(
  connection: SqliteConnection,
  { lockTimeoutMs, claim }: Program,
  before: ReadonlyMap<Setting, bigint>,
  moved: Moved,
): Promise<string[]> {
  const numbers = moved.filter(isNumber)
  if (numbers.length > 0) {
    await inWriteTransaction(connection, lockTimeoutMs, () => {
      assertMark(connection, claim?.mark)
      for (const [name] of numbers) connection.db.exec(`PRAGMA main.${name} = ${before.get(name)}`)
    })
  }
  return moved.map(
    ([name, value]) =>
      `PRAGMA ${name} was ${value}, and is ${before.get(name)} again, as when the baseline was taken: a test changed it. If it is to stay, set it before.`,
  )
}

/** The temporary objects of the user; afresh's own are named `afresh:…`. */
function tempObjects(db: Database): ReadonlyMap<string, TempObject> {
  const rows = db.all(`SELECT type, name, sql FROM temp.sqlite_master
    WHERE name NOT LIKE 'afresh:%' AND tbl_name NOT LIKE 'afresh:%' AND sql IS NOT NULL ORDER BY rowid`)
  return new Map(
    rows.map(({ type, name, sql }) => [
      `${String(type)} ${String(name)}`,
      { kind: String(type), name: String(name), sql: String(sql) },
    ]),
  )
}

async function restoreTemp(
  connection: SqliteConnection,
  { lockTimeoutMs, claim }: Program,
  before: ReadonlyMap<string, TempObject>,
): Promise<string[]> {
  const { db } = connection
  const now = tempObjects(db)
  const isSame = (object: TempObject, other: TempObject | undefined) => object.sql === other?.sql
  const strange = [...now]
    .filter(([key, object]) => !isSame(object, before.get(key)))
    .map(([, object]) => object)
  const gone = [...before]
    .filter(([key, object]) => !isSame(object, now.get(key)))
    .map(([, object]) => object)
  if (strange.length === 0 && gone.length === 0) return []
  const remade = gone.filter(({ kind }) => kind === 'trigger' || kind === 'view')
  asRefusal(gone.filter((object) => !remade.includes(object)))
  await inWriteTransaction(connection, lockTimeoutMs, () => {
    assertMark(connection, claim?.mark)
    asStep('drop the temporary objects that a test left', () => {
      for (const { kind, name } of strange.toSorted((a, b) => rank(a) - rank(b))) {
        db.exec(`DROP ${kind} IF EXISTS temp.${quoted(name)}`)
      }
      for (const { sql } of remade) db.exec(sql.replace(/^CREATE (TRIGGER|VIEW) /, 'CREATE $1 temp.'))
    })
  })
  const again = remade.filter((object) => !strange.some(({ name }) => name === object.name))
  return [
    ...strange.map(
      ({ kind, name }) =>
        `The temporary ${kind} "${name}" was dropped: it was made after the baseline was taken. Drop it in the test that makes it.`,
    ),
    ...again.map(({ kind, name }) => `The temporary ${kind} "${name}" was created again: a test dropped it.`),
  ]
}

/** Drops what depends on tables first, and a virtual table before the tables that it keeps its rows in. */
function rank({ kind, sql }: TempObject): number {
  if (kind === 'trigger' || kind === 'view') return 0
  if (kind === 'table') return /^CREATE VIRTUAL/i.test(sql) ? 1 : 2
  return 3
}

/** Throws `AfreshError` (`plan`): the rows of temporary tables are not part of the baseline. */
function asRefusal(lost: readonly TempObject[]): void {
  if (lost.length === 0) return
  const names = lost.map(({ kind, name }) => `${kind} "${name}"`).join(', ')
  throw new AfreshError('plan', `Temporary objects of the handle are gone, or different: ${names}.`, {
    next: 'Restore them in the test that changed them, or call `attach` again on a database that is at its baseline.',
  })
}
