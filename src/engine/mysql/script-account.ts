import { randomBytes } from 'node:crypto'
import type { Connection } from '../connection.ts'
import { ident, literal } from './quote.ts'

/** An account for scripts: it may change one database of the server, and no other. */
export interface ScriptAccount {
  readonly user: string
  readonly password: string
  /** As the server shows it in `definer`. */
  readonly definer: string
  /** Gives what migration tools take for granted: other definers, and programs while the binary log is on. */
  trust(): Promise<void>
  /** Runs `open` while whoever connects as this account gets SUPER, and keeps it to the end of the session. */
  elevated<T>(open: () => Promise<T>): Promise<T>
  drop(): Promise<void>
}

const PREFIX = 'afresh_script_'

/**
 * What a script may need of the server that gives no access to other databases' rows but to read them: without the rights
 * to act as somebody else (SET_ANY_DEFINER, ROLE_ADMIN). A foreign key to another database needs REFERENCES.
 */
const GRANTABLE = [
  ...['SELECT', 'SHOW VIEW', 'REFERENCES', 'SHOW DATABASES', 'PROCESS', 'FILE', 'RELOAD', 'CREATE USER'],
  ...['CREATE TABLESPACE', 'SESSION_VARIABLES_ADMIN', 'SYSTEM_VARIABLES_ADMIN', 'TABLE_ENCRYPTION_ADMIN'],
  ...['BINLOG_ADMIN', 'BINLOG ADMIN', 'XA_RECOVER_ADMIN', 'SHOW_ROUTINE', 'CREATE_SPATIAL_REFERENCE_SYSTEM'],
]

/** They give no access to other databases, unless somebody goes about it. */
const TRUSTED = [
  'SUPER',
  'SYSTEM_USER',
  'SET_ANY_DEFINER',
  'ALLOW_NONEXISTENT_DEFINER',
  'SET_USER_ID',
  'SET USER',
]

/** `undefined`: this user may not create accounts, or not give them what scripts need. */
export async function createScriptAccount(
  admin: Connection,
  database: string,
): Promise<ScriptAccount | undefined> {
  const user = `${PREFIX}${randomBytes(6).toString('hex')}`
  // Every policy's characters: https://dev.mysql.com/doc/refman/9.0/en/validate-password.html
  const password = `aA1!${randomBytes(16).toString('hex')}`
  const account = `${literal(user)}@'%'`
  await dropForgotten(admin)
  // Whoever has the lock lives: what a crashed run left can be told from what is in use.
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
    async elevated(open) {
      await admin.query(`GRANT SUPER ON *.* TO ${account}`)
      try {
        return await open()
      } finally {
        await admin.query(`REVOKE SUPER ON *.* FROM ${account}`)
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

/** `_` and `%` in a grant mean any characters, but where rights may be taken away in part. */
async function pattern(admin: Connection, database: string): Promise<string> {
  const [row] = await admin.query(`SHOW GLOBAL VARIABLES LIKE 'partial_revokes'`)
  return ident(row?.Value === 'ON' ? database : database.replaceAll(/[\\_%]/g, '\\$&'))
}

/** Accounts of runs that were killed. */
async function dropForgotten(admin: Connection): Promise<void> {
  const rows = await admin
    .query(
      `SELECT user AS user FROM mysql.user WHERE LEFT(user, ${PREFIX.length}) = ${literal(PREFIX)} AND IS_FREE_LOCK(user) = 1`,
    )
    .catch(() => [])
  for (const { user } of rows)
    await admin.query(`DROP USER IF EXISTS ${literal(String(user))}@'%'`).catch(() => {})
}
