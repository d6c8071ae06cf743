import type { WayFacts } from '../way.ts'

const SERVERS = ['postgres', 'mysql', 'mariadb'] as const
const EVERYWHERE = [...SERVERS, 'sqlite'] as const
const plain = { family: 'plain' } as const

/** In the order of the tables. Each is in a file of the same name, which is loaded where it runs. */
export const WAYS: readonly WayFacts[] = [
  {
    ...plain,
    id: 'afresh',
    label: 'afresh',
    kind: 'afresh',
    source: 'afresh',
    note: "erase(table, where, { cascade: 'follow' }) of a database that is attached",
    engines: EVERYWHERE,
  },
  {
    ...plain,
    id: 'afresh-url',
    label: 'afresh, by URL',
    kind: 'afresh',
    source: 'afresh',
    note: 'eraseFrom(url, …): connects and reads the catalog each time',
    engines: SERVERS,
  },
  {
    ...plain,
    id: 'sql',
    label: 'by hand, subqueries',
    kind: 'hand',
    source: 'SQL',
    note: 'one DELETE a table, children first, in one transaction; one round trip',
    engines: EVERYWHERE,
  },
  {
    ...plain,
    id: 'sql-join',
    label: 'by hand, joins',
    kind: 'hand',
    source: 'SQL',
    note: 'the same with USING (PostgreSQL) or a DELETE over several tables (MySQL, MariaDB)',
    engines: SERVERS,
  },
  {
    id: 'declared',
    label: 'ON DELETE CASCADE',
    kind: 'declared',
    source: 'SQL',
    note: 'the same schema with ON DELETE CASCADE; one DELETE of the roots',
    engines: EVERYWHERE,
    family: 'cascading',
  },
  {
    ...plain,
    id: 'keys',
    label: '100 keys at a time',
    kind: 'loop',
    source: 'statement of Django',
    note: 'SELECT 100 keys, delete what refers to them in the same way, DELETE by id; one transaction (Django ticket 9519)',
    engines: EVERYWHERE,
  },
]
