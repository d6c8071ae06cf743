import type { Connection, Row } from '../connection.ts'
import { readCatalog } from './catalog.ts'
import { ident, literal } from './quote.ts'

/**
 * Returns statements that give one database the settings and privileges of another: CREATE DATABASE …
 * TEMPLATE copies neither.
 */
export async function copyDatabaseSettings(
  connection: Connection,
  template: string,
  name: string,
): Promise<string[]> {
  return [...(await settingsOf(connection, template, name)), ...(await grantsOf(connection, template, name))]
}

async function settingsOf(connection: Connection, template: string, name: string): Promise<string[]> {
  const rows = await readCatalog(
    connection,
    `SELECT s.setrole::text AS role, r.rolname AS role_name, entry
    FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS entry
    WHERE d.datname = ${literal(template)}`,
  )
  return rows.map((row) => {
    const entry = String(row.entry)
    const setting = ident(entry.slice(0, entry.indexOf('=')))
    const value = entry.slice(entry.indexOf('=') + 1)
    const whose = row.role === '0' ? '' : `ROLE ${ident(String(row.role_name))} IN `
    return `ALTER ${whose}DATABASE ${ident(name)} SET ${setting} TO ${settingValue(setting, value)}`
  })
}

/** List settings are stored quoted, with an empty name as `""`, which no statement accepts as it is. */
function settingValue(setting: string, value: string): string {
  const isList = /^"(search_path|temp_tablespaces|.*_preload_libraries|datestyle)"$/i.test(setting)
  const elements = isList ? (value.match(/"(?:[^"]|"")*"|[^,\s"][^,]*/g) ?? []) : []
  if (elements.length === 0) return literal(value)
  return elements
    .map((element) => (element.startsWith('"') ? element.slice(1, -1).replaceAll('""', '"') : element.trim()))
    .map(literal)
    .join(', ')
}

async function grantsOf(connection: Connection, template: string, name: string): Promise<string[]> {
  const rows = await readCatalog(
    connection,
    `SELECT g.privilege_type AS privilege, g.is_grantable AS grantable, r.rolname AS role
    FROM pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) AS g
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee WHERE d.datname = ${literal(template)} AND g.grantee <> d.datdba`,
  )
  if (rows.length === 0) return []
  return [`REVOKE ALL ON DATABASE ${ident(name)} FROM PUBLIC`, ...rows.map((row) => grant(name, row))]
}

function grant(name: string, { privilege, grantable, role }: Row): string {
  const to = role === null ? 'PUBLIC' : ident(String(role))
  return `GRANT ${privilege} ON DATABASE ${ident(name)} TO ${to}${grantable === true ? ' WITH GRANT OPTION' : ''}`
}
