import { randomBytes } from 'node:crypto'
import type { Connection } from '../connection.ts'
import { ident, literal } from './quote.ts'

/** For programs while the binary log is on, and for accounts. */
export type ElevatedRight = 'SUPER' | 'CREATE USER'

/** An account for scripts, which may change only one database of the server. */
export interface ScriptAccount {
  readonly user: string
  readonly password: string
  /** As the server shows it in `definer`. */
  readonly definer: string
  /** Grants what migration tools need: other definers, and stored programs while the binary log is on. */
  trust(): Promise<void>
  /** Runs `open` while new sessions of this account get the right, which each keeps until it ends. */
  elevated<T>(right: ElevatedRight, open: () => Promise<T>): Promise<T>
  drop(): Promise<void>
}

const PREFIX = 'afresh_script_'

/**
 * Privileges that a script may need on the server. They give access to rows of other databases for reading
 * only, and none to act as another account (SET_ANY_DEFINER, ROLE_ADMIN), to change accounts or settings of
 * the server. A foreign key to another database requires REFERENCES.
 */
const GRANTABLE = [
  ...['SELECT', 'SHOW VIEW', 'REFERENCES', 'SHOW DATABASES', 'PROCESS', 'FILE', 'RELOAD'],
  ...['SESSION_VARIABLES_ADMIN', 'TABLE_ENCRYPTION_ADMIN'],
  ...['BINLOG ADMIN', 'XA_RECOVER_ADMIN', 'SHOW_ROUTINE', 'CREATE_SPATIAL_REFERENCE_SYSTEM'],
]

/** They give access to the server and other databases only to a migration that tries to get it. */
const TRUSTED = [
  ...['CREATE USER', 'CREATE TABLESPACE', 'SYSTEM_VARIABLES_ADMIN', 'BINLOG_ADMIN'],
  'SUPER',
  'SYSTEM_USER',
  'SET_ANY_DEFINER',
  'ALLOW_NONEXISTENT_DEFINER',
  'SET_USER_ID',
  'SET USER',
]

/** `undefined` if this user may not create accounts, or not grant what scripts need. */
export async function createScriptAccount(
  admin: Connection,
  database: string,
): Promise<ScriptAccount | undefined> {
  const user = `${PREFIX}${randomBytes(6).toString('hex')}`
  // Has the characters of every policy: https://dev.mysql.com/doc/refman/9.0/en/validate-password.html
  const password = `aA1!${randomBytes(16).toString('hex')}`
  const account = `${literal(user)}@'%'`
  await dropForgotten(admin)
  // Shows that this run is alive, so that accounts of crashed runs can be recognized.
  await admin.query(`SELECT GET_LOCK(${literal(user)}, 0)`)
  const drop = async () => {
    await admin.query(`DROP USER IF EXISTS ${account}`)
    await admin.query(`DO RELEASE_LOCK(${literal(user)})`)
  }
  try {
    const everywhere = await grantable(admin, GRANTABLE)
    await admin.query(`CREATE USER ${account} IDENTIFIED BY ${literal(password)}`)
    await admin.query(`GRANT ALL ON ${await pattern(admin, database)}.* TO ${account} WITH GRANT OPTION`)
    if (everywhere.length > 0)
      await admin.query(`GRANT ${everywhere.join(', ')} ON *.* TO ${account}`).catch(() => {})
  } catch {
    await drop().catch(() => {})
    return undefined
  }
  return {
    ...{ user, password, definer: `${user}@%`, drop },
    async trust() {
      for (const right of await grantable(admin, TRUSTED)) {
        await admin.query(`GRANT ${right} ON *.* TO ${account}`)
      }
    },
    async elevated(right, open) {
      await admin.query(`GRANT ${right} ON *.* TO ${account}`)
      try {
        return await open()
      } finally {
        await admin.query(`REVOKE ${right} ON *.* FROM ${account}`)
      }
    },
  }
}

async function grantable(admin: Connection, rights: readonly string[]): Promise<string[]> {
  const rows = await admin.query(
    `SELECT DISTINCT privilege_type AS name FROM information_schema.user_privileges
     WHERE is_grantable = 'YES' AND grantee = CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@',
       QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))`,
  )
  return rows.map(({ name }) => String(name)).filter((name) => rights.includes(name))
}

/** In a grant, `_` and `%` are wildcards unless partial revokes are enabled. */
async function pattern(admin: Connection, database: string): Promise<string> {
  const [row] = await admin.query(`SHOW GLOBAL VARIABLES LIKE 'partial_revokes'`)
  return ident(row?.Value === 'ON' ? database : database.replaceAll(/[\\_%]/g, '\\$&'))
}

/** Drops the accounts of killed runs. */
async function dropForgotten(admin: Connection): Promise<void> {
  const rows = await admin
    .query(
      `SELECT user AS user FROM mysql.user WHERE LEFT(user, ${PREFIX.length}) = ${literal(PREFIX)} AND IS_FREE_LOCK(user) = 1`,
    )
    .catch(() => [])
  for (const { user } of rows)
    await admin.query(`DROP USER IF EXISTS ${literal(String(user))}@'%'`).catch(() => {})
}
