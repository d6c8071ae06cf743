import { withCleanUp } from '../../errors.ts'
import type { ScriptRun } from '../connection.ts'
import type { MysqlConnection, Send } from './mysql-connection.ts'
import type { SessionKind } from './own-settings.ts'
import { runScript, type ScriptSession } from './script.ts'
import { createScriptAccount, type ElevatedRight, type ScriptAccount } from './script-account.ts'
import { checkAgainst } from './script-check.ts'
import { reassignDefiners } from './script-definers.ts'
import { accountNames } from './script-server-check.ts'

/**
 * Opens a session as the given account. `bytes`: each character of a text is one byte. `kind`: whose SQL it
 * sends, by default a script's.
 */
export type OpenSession = (
  as: { readonly user: string; readonly password: string } | undefined,
  options?: { readonly bytes?: boolean; readonly kind?: SessionKind },
) => Promise<MysqlConnection>

export interface ScriptRunOptions {
  readonly eventsOff: boolean
}

/**
 * Runs scripts as an account that may write to this one database only, because a script's effects cannot be
 * derived from its text. If the user may not create accounts, each statement is checked before it runs.
 */
export class AccountScriptRun implements ScriptRun {
  readonly #admin: MysqlConnection
  readonly #open: OpenSession
  readonly #options: ScriptRunOptions
  #account: Promise<ScriptAccount | undefined> | undefined
  /** The definer of each view and program that a script created for another account. */
  readonly #definers = new Map<string, string>()
  #accounts: Promise<ReadonlySet<string> | undefined> | undefined
  #connection: Promise<MysqlConnection> | undefined

  /**
   * @param open opens a session like the server's own client: a script's settings end with its session,
   *   afresh's locks do not
   */
  constructor(admin: MysqlConnection, open: OpenSession, options: ScriptRunOptions) {
    this.#admin = admin
    this.#open = open
    this.#options = options
  }

  async run(file: Buffer, label: string): Promise<void> {
    const as = await this.#accountOnce()
    const { text, bytes } = decoded(file)
    const open = () => this.#open(as, { bytes })
    const own = await open()
    const elevated =
      as === undefined
        ? undefined
        : {
            SUPER: new ElevatedSession(as, 'SUPER', open),
            'CREATE USER': new ElevatedSession(as, 'CREATE USER', open),
          }
    await withCleanUp(
      () =>
        own.pinned(async (send) => {
          const session: ScriptSession = {
            send,
            bytes,
            check: as === undefined ? await checkAgainst(send) : undefined,
            confined: elevated && {
              made: ({ of, definer }) => this.#definers.set(of, definer),
              elevated: (sql, right) => elevated[right].run(send, sql),
            },
            accounts: () => this.#accountsBefore(),
          }
          await runScript(session, text, label)
        }),
      async () => {
        await own.close()
        for (const session of Object.values(elevated ?? {})) await session.close()
      },
    )
  }

  /** Those of the first statement about accounts: later ones may be the scripts' own. */
  #accountsBefore(): Promise<ReadonlySet<string> | undefined> {
    this.#accounts ??= this.#admin.pinned(accountNames)
    return this.#accounts
  }

  async url(): Promise<string | undefined> {
    const as = await this.#accountOnce()
    if (as === undefined || this.#admin.url === undefined) return undefined
    await as.trust()
    return Object.assign(new URL(this.#admin.url), { username: as.user, password: as.password }).toString()
  }

  /** Triggers that a script created run as the account of scripts, too. */
  connection(): Promise<MysqlConnection> {
    this.#connection ??= this.#accountOnce().then((as) => this.#open(as, { kind: 'server' }))
    return this.#connection
  }

  async end(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    await connection?.close()
    const as = await this.#account
    this.#account = undefined
    if (as === undefined) return
    await withCleanUp(async () => {
      const inside = await this.#open(undefined, { kind: 'server' })
      await withCleanUp(
        () => reassignDefiners(inside, as.definer, this.#definers, this.#options),
        () => inside.close(),
      )
    }, as.drop)
  }

  #accountOnce(): Promise<ScriptAccount | undefined> {
    this.#account ??= accountFor(this.#admin, this.#open)
    return this.#account
  }
}

/** A session with a right that scripts do not have for all statements, opened when one first needs it. */
class ElevatedSession {
  readonly #account: ScriptAccount
  readonly #right: ElevatedRight
  readonly #open: () => Promise<MysqlConnection>
  #session: Promise<MysqlConnection> | undefined

  constructor(account: ScriptAccount, right: ElevatedRight, open: () => Promise<MysqlConnection>) {
    this.#account = account
    this.#right = right
    this.#open = open
  }

  /** Returns `false` if there can be no such session. */
  async run(send: Send, sql: string): Promise<boolean> {
    this.#session ??= this.#account.elevated(this.#right, this.#open)
    const session = await this.#session.catch(() => undefined)
    if (session === undefined) return false
    await runAs(send, session, sql)
    return true
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined)
    await session?.close()
  }
}

/** `undefined` also if the account cannot connect, for example through a proxy that does not know it. */
async function accountFor(admin: MysqlConnection, open: OpenSession): Promise<ScriptAccount | undefined> {
  const [row] = await admin.query('SELECT DATABASE() AS name')
  if (typeof row?.name !== 'string') return undefined
  const account = await createScriptAccount(admin, row.name)
  if (account === undefined) return undefined
  try {
    await (await open(account)).close()
    return account
  } catch {
    await account.drop()
    return undefined
  }
}

/** Settings of the creating session that the server stores with a program. */
const KEPT = ['sql_mode', 'character_set_client', 'collation_connection', 'collation_database', 'time_zone']

async function runAs(send: Send, other: MysqlConnection, sql: string): Promise<void> {
  const values = KEPT.map((name) => `'${name} = ', QUOTE(@@${name})`).join(", ', ', ")
  const [row] = (await send(`SELECT CONCAT(${values}) AS settings`))[0]?.rows ?? []
  await other.query(`SET ${String(row?.settings)}`)
  await other.query(sql)
}

/** The server decodes bytes that are not UTF-8 as the script says, by SET NAMES or an introducer. */
function decoded(file: Buffer): { readonly text: string; readonly bytes: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file), bytes: false }
  } catch {
    const isMarked = file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf
    return { text: file.toString('latin1', isMarked ? 3 : 0), bytes: true }
  }
}
