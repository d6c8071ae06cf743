import type pg from 'pg'

/** The content of a PostgreSQL database, as an ordinary client sees it. */
export interface Everything {
  /** By table: its rows as text, sorted. */
  readonly rows: ReadonlyMap<string, readonly string[]>
  readonly sequences: ReadonlyMap<string, string>
  /** Catalog entries that determine how tables behave: triggers, rules, row security, replica identity. */
  readonly catalog: readonly string[]
}

/** An independent oracle: reads everything through an ordinary client, without afresh's queries. */
export async function everything(client: pg.Client): Promise<Everything> {
  const names = async (kinds: string) =>
    (
      await client.query<{ name: string }>(
        `SELECT format('%I.%I', nspname, relname) AS name FROM pg_catalog.pg_class c JOIN pg_namespace n ON n.oid = relnamespace
         WHERE relkind IN (${kinds}) AND relispopulated AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1`,
      )
    ).rows.map(({ name }) => name)
  const rows = new Map<string, string[]>()
  for (const name of await names(`'r', 'm'`)) {
    const found = await client.query<{ row: string }>(
      `SELECT whole_row::text AS row FROM ONLY ${name} AS whole_row ORDER BY 1`,
    )
    rows.set(
      name,
      found.rows.map(({ row }) => row),
    )
  }
  const sequences = new Map<string, string>()
  for (const name of await names(`'S'`)) {
    const [row] = (
      await client.query<{ at: string }>(`SELECT last_value || ':' || is_called AS at FROM ${name}`)
    ).rows
    sequences.set(name, row?.at ?? '')
  }
  const catalog = await client.query<{ line: string }>(`
    SELECT format('trigger %s %s %s', tgrelid::regclass, tgname, tgenabled) AS line FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT format('rule %s %s %s', ev_class::regclass, rulename, ev_enabled) FROM pg_rewrite WHERE ev_class >= 16384
    UNION ALL SELECT format('table %s %s %s %s %s', c.oid::regclass, relrowsecurity, relforcerowsecurity, relreplident, relpersistence)
      FROM pg_catalog.pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid >= 16384 AND nspname NOT LIKE 'pg\\_%'
    UNION ALL SELECT format('large object %s', oid) FROM pg_largeobject_metadata
    UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, pg_get_constraintdef(oid), convalidated)
      FROM pg_catalog.pg_constraint WHERE conrelid > 0 AND oid >= 16384
    ORDER BY 1`)
  return { rows, sequences, catalog: catalog.rows.map(({ line }) => line) }
}

/** Writes to random tables. What a constraint, trigger or rule forbids fails, as it would in a test. */
export async function mess(
  client: pg.Client,
  { rows, sequences }: Everything,
  pick: (count: number) => number,
  also: readonly string[] = [],
): Promise<void> {
  const tables = [...rows.keys()]
  const counters = [...sequences.keys()]
  // Few writes produce little WAL, many writes much: detectors depend on its length.
  const writes = pick(2) === 0 ? 1 + pick(6) : 40
  for (let i = 0; i < writes; i++) {
    const table = tables[pick(tables.length)] ?? ''
    const sequence = counters[pick(counters.length)] ?? ''
    const actions = [
      `DELETE FROM ONLY ${table} WHERE ctid IN (SELECT ctid FROM ONLY ${table} LIMIT ${1 + pick(3)})`,
      `DELETE FROM ${table}`,
      `INSERT INTO ${table} DEFAULT VALUES`,
      `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 2`,
      `TRUNCATE ${table} CASCADE`,
      `TRUNCATE ONLY ${table} RESTART IDENTITY`,
      ...also,
      `SELECT nextval('${sequence.replaceAll("'", "''")}')`,
      `BEGIN; INSERT INTO ${table} DEFAULT VALUES; ROLLBACK`,
      `DO $do$ DECLARE col text; BEGIN
         FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = '${table.replaceAll("'", "''")}'::regclass AND attnum > 0 AND NOT attisdropped LOOP
           BEGIN EXECUTE format('UPDATE ${table.replaceAll("'", "''").replaceAll('%', '%%')} SET %1$I = NULL', col); EXCEPTION WHEN OTHERS THEN NULL; END;
         END LOOP; END $do$`,
    ]
    const role = pick(3) === 0 ? 'replica' : 'origin'
    const action = actions[pick(actions.length)] ?? ''
    await client.query(`SET session_replication_role = ${role}`)
    await client.query(action).catch(() => client.query('ROLLBACK'))
  }
  await client.query('RESET ALL')
}

export async function drawAll(client: pg.Client): Promise<Map<string, string>> {
  const drawn = new Map<string, string>()
  for (const name of (await everything(client)).sequences.keys()) {
    const number = await client.query<{ n: string }>('SELECT nextval($1) AS n', [name]).catch(() => undefined)
    drawn.set(name, number?.rows[0]?.n ?? 'exhausted')
  }
  return drawn
}
