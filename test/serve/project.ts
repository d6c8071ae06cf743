import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findConfig } from '../../src/runner/core/load-config.ts'
import { LOOPBACK } from '../../src/runner/serve/listen-address.ts'
import {
  type ServedDatabases,
  type ServeOptions,
  serveDatabases,
} from '../../src/runner/serve/serve-databases.ts'
import { ask } from '../support/ask.ts'
import type { ServerAtHand } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openApi } from './described.ts'

const SCHEMA = `
  CREATE TABLE author (id int PRIMARY KEY, name varchar(20));
  CREATE TABLE note (id int PRIMARY KEY, author int, FOREIGN KEY (author) REFERENCES author (id));
  INSERT INTO author VALUES (1, 'Ada'); INSERT INTO note VALUES (1, 1), (2, 1);`

/** A folder with a configuration, two tables and a set of fixtures. */
export class Project {
  readonly folder = mkdtempSync(join(temporaryFolder(), 'afresh-serve-'))

  constructor() {
    writeFileSync(join(this.folder, 'schema.sql'), SCHEMA)
    writeFileSync(join(this.folder, 'note.csv'), 'id,author\n50,1\n51,1\n')
  }

  /** The configuration that a command finds in the folder. */
  configure({ url }: Pick<ServerAtHand, 'url'>): string {
    const path = join(this.folder, 'afresh.config.mjs')
    const options = {
      server: url,
      project: 'served',
      migrate: 'schema.sql',
      fixtureSets: { more: 'note.csv' },
    }
    writeFileSync(path, `export default ${JSON.stringify(options)}\n`)
    return path
  }

  /** The service in this process. */
  async serve(server: ServerAtHand, options: Partial<ServeOptions> = {}): Promise<ServedDatabases> {
    const config = await findConfig([this.configure(server)])
    return serveDatabases(config, {
      ...{ count: 1, listen: LOOPBACK, allowedHosts: [], describe: () => openApi },
      ...options,
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Databases of the project on the server, without templates. */
export function databasesOf(server: ServerAtHand): Promise<unknown[]> {
  const sql =
    server.engine === 'postgres'
      ? `SELECT datname FROM pg_database WHERE datname ~ '^afresh_served_[a-z0-9]{10}_'`
      : `SELECT schema_name FROM information_schema.schemata WHERE schema_name REGEXP '^afresh_served_[a-z0-9]{10}_'`
  return ask(server, sql)
}
