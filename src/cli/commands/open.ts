import { loadConfig } from '../../config/file.ts'
import { engineNamed, open } from '../../engine/registry.ts'
import { AfreshError, withCleanUp } from '../../errors.ts'
import { createHarness } from '../../harness/harness.ts'
import { findClient, runClient } from '../../harness/open-database.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { interruption } from '../interruption.ts'
import type { Output } from '../output.ts'

interface OpenFlags {
  readonly url?: string
  readonly printUrl?: boolean
  readonly json?: boolean
}

export const openCommand = defineCommand<OpenFlags>({
  notes: `
Leases a database at the baseline of afresh.config.*, and runs psql, mysql, mariadb or sqlite3 on it. The lease lasts
as long as the client runs; then the database is dropped, with your changes. With --url, runs the client on
that database, and drops nothing. The password is in the client's environment, and never in its arguments.

  afresh open
  afresh open --print-url                 print the URL, and keep the database until Ctrl-C: for any other client
  afresh open --url "$DATABASE_URL"`,
  options: (command) =>
    command
      .option('--url <url>', 'an existing database: no lease')
      .option(
        '--print-url',
        'run no client: print the URL with its password, and wait for Ctrl-C (as does --json)',
      ),

  async run({ url, printUrl, json }, output) {
    const prints = printUrl === true || json === true
    if (url === undefined) return onLease(prints, output)
    if (!prints) return onDatabase(url)
    throw new AfreshError('usage', '--print-url and --json belong to a lease, and --url takes none.', {
      next: 'Leave --url out, or the other one.',
    })
  },
})

async function onDatabase(given: string): Promise<number> {
  const { engine, connection } = await open(given)
  const client = await withCleanUp(
    async () => findClient(engine),
    () => connection.close(),
  )
  return exitCodeOf(await runClient(client, connection.url ?? given))
}

async function onLease(printUrl: boolean, output: Output): Promise<number> {
  const { options } = await loadConfig(process.cwd())
  const harness = await output.during((progress) => createHarness({ ...options, progress }))
  return withCleanUp(
    async () => {
      const client = printUrl ? undefined : findClient(engineNamed(harness.handle.engine))
      await using database = await output.during(() => harness.lease())
      const { name, url, env } = database
      if (client !== undefined) {
        output.progress(`${name} on ${harness.title}: yours until you leave the client, and then dropped`)
        return exitCodeOf(await runClient(client, url))
      }
      const interrupted = interruption()
      output.document({ server: harness.title, name, url, env })
      output.line(url)
      output.progress(`${name} is yours until Ctrl-C, and then dropped`)
      await interrupted
      return EXIT.done
    },
    () => harness.close(),
  )
}

function exitCodeOf(ofClient: number): number {
  return ofClient === 0 ? EXIT.done : EXIT.failed
}
