import { type DatabaseDiagnosis, type Diagnosis, runDoctor } from '../../harness/doctor.ts'
import type { AvailableServers } from '../../server/pick-server.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { aligned, listed, type Output } from '../output.ts'

interface DoctorFlags {
  readonly url?: string
}

export const doctorCommand = defineCommand<DoctorFlags>({
  notes: `
Starts nothing and changes nothing. Exit code 0 if afresh can use a server: that of --url, otherwise a container
engine or the embedded PostgreSQL.

  afresh doctor
  afresh doctor --url postgres://localhost/postgres`,
  options: (command) =>
    command.option('--url <url>', 'inspect this server and database too: privileges, mark, identity'),

  async run({ url }, output) {
    output.progress('looking for servers')
    const diagnosis = await runDoctor(process.cwd(), url)
    output.document(diagnosis)
    write(diagnosis, output)
    return diagnosis.usable ? EXIT.done : EXIT.failed
  },
})

function write(diagnosis: Diagnosis, output: Output): void {
  const { node, servers, drivers, detectors, database, problems, usable } = diagnosis
  section('Servers', serverRows(servers), output)
  if (database !== undefined) section('Database', databaseRows(database), output)
  section(
    'Packages',
    drivers.map((driver) => [driver.package, driver.version ?? '-', driver.purpose]),
    output,
  )
  section(
    'Detectors',
    detectors.map(({ name, where }) => [name, where]),
    output,
  )
  section('Node', [[node.version, node.supported ? 'supported' : 'too old']], output)
  if (problems.length > 0) {
    output.line(output.style.bold('Missing here'))
    for (const problem of problems) output.line(`  - ${problem.replaceAll('\n', '\n    ')}`)
    output.line()
  }
  output.line(
    usable
      ? output.style.good('Afresh can be used here.')
      : output.style.bad('Afresh cannot be used here yet: see what is missing.'),
  )
}

function section(title: string, rows: readonly (readonly string[])[], output: Output): void {
  output.line(output.style.bold(title))
  for (const line of aligned(rows)) output.line(line)
  output.line()
}

function serverRows({ container, embedded }: AvailableServers): string[][] {
  const images = container.images.length === 0 ? 'no images yet' : listed(container.images, 70)
  return [
    container.available
      ? ['container', 'yes', `engine ${container.version} at ${container.endpoint}; ${images}`]
      : ['container', 'no', ''],
    embedded.available ? ['embedded', 'yes', `PostgreSQL ${embedded.version}`] : ['embedded', 'no', ''],
    ['existing', 'yes', 'any server by its URL: --url shows what afresh may do there'],
  ]
}

function databaseRows(database: DatabaseDiagnosis): string[][] {
  const yes = (is: boolean) => (is ? 'yes' : 'no')
  return [
    ['server', `${database.engine} ${database.version ?? ''}`.trim()],
    ...(database.fingerprint === undefined
      ? []
      : [['fingerprint', `${database.fingerprint} (for \`allow\`)`]]),
    ['database', `${database.database}: ${database.tables} tables, ${database.tablesWithRows} with rows`],
    ['name to confirm', database.confirmation],
    ['marked', yes(database.marked)],
    ['standby', yes(database.standby)],
    ['may create databases', yes(database.mayCreateDatabases)],
    ['may switch checks off', yes(database.mayDisableChecks)],
    ['other sessions', database.sessions.length === 0 ? 'none' : database.sessions.join('; ')],
  ]
}
