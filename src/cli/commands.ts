import type { CliCommand } from './command.ts'

/** An entry in the list of commands. Loads the command's module, with its dependencies, only on use. */
export interface ListedCommand {
  readonly name: string
  readonly summary: string
  /** The positional arguments. */
  readonly operands?: string
  load(): Promise<CliCommand>
}

export const COMMANDS: readonly ListedCommand[] = [
  {
    name: 'init',
    summary: 'Detect what a project uses, and write the files that it needs for its first database test',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  {
    name: 'demo',
    summary: 'Run a complete demo on the best available server: no database and no configuration needed',
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  },
  {
    name: 'run',
    summary: 'Run a command in any language with databases at the baseline, and drop them afterwards',
    operands: '<command> [arguments...]',
    load: async () => (await import('./commands/run.ts')).runCommand,
  },
  {
    name: 'serve',
    summary: 'Lease and reset databases over HTTP, for programs in any language',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  {
    name: 'plan',
    summary: 'Show the tables in reset order, and what a reset would do and why; changes nothing',
    load: async () => (await import('./commands/plan.ts')).planCommand,
  },
  {
    name: 'reset',
    summary: 'Empty the tables of a marked database and restart its sequences',
    load: async () => (await import('./commands/reset.ts')).resetCommand,
  },
  {
    name: 'erase',
    summary: 'Delete selected rows of a marked database, and what refers to them',
    operands: '<table>',
    load: async () => (await import('./commands/erase.ts')).eraseCommand,
  },
  {
    name: 'purge',
    summary: 'Delete the rows of a marked database that a soft delete has marked',
    load: async () => (await import('./commands/purge.ts')).purgeCommand,
  },
  {
    name: 'verify',
    summary: 'Compare a database with its baseline, and print what differs; resets nothing',
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  },
  {
    name: 'open',
    summary:
      'Open psql, mysql, mariadb or sqlite3 on a database at the baseline, which lives as long as the client',
    load: async () => (await import('./commands/open.ts')).openCommand,
  },
  {
    name: 'adopt',
    summary: 'Mark a database as disposable, after a person has typed its name',
    load: async () => (await import('./commands/adopt.ts')).adoptCommand,
  },
  {
    name: 'status',
    summary:
      'Show the servers, templates, databases, leases and caches of afresh, and what `clean` would drop',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  {
    name: 'clean',
    summary: 'Drop unused databases and templates of afresh',
    load: async () => (await import('./commands/clean.ts')).cleanCommand,
  },
  {
    name: 'bench',
    summary: 'Compare DELETE, TRUNCATE and eleven other methods by number of rows: figures, charts, advice',
    load: async () => (await import('./commands/bench.ts')).benchCommand,
  },
  {
    name: 'doctor',
    summary: 'Show which servers, drivers and privileges are available here, and what is missing',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
]
