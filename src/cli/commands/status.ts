import { loadConfig } from '../../config/file.ts'
import { readStatus, type Status } from '../../harness/status.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { age, size, writeDatabases } from '../inventory-text.ts'
import { aligned, count, type Output } from '../output.ts'

interface StatusFlags {
  readonly url?: string
}

export const statusCommand = defineCommand<StatusFlags>({
  notes: `
Looks at the server of the configuration, if it is one that runs already, at the containers and embedded servers of
afresh on this machine, and at its cache. Starts nothing and changes nothing. The databases of a server that a run
started for itself are not listed: only that run can reach them, and they end with it.

  afresh status
  afresh status --url postgres://localhost/postgres      the databases of one server
  afresh status --json`,
  options: (command) => command.option('--url <url>', 'only the databases of afresh on this server'),

  async run({ url }, output) {
    const { options } = await loadConfig(process.cwd())
    const status = await output.during(() => readStatus({ url, config: options }))
    output.document(status)
    writeStatus(status, { isOne: url !== undefined }, output)
    return EXIT.done
  },
})

function writeStatus(status: Status, { isOne }: { isOne: boolean }, output: Output): void {
  const { servers, containers, embedded, lingering, cache, problems } = status
  for (const { title, databases } of servers) {
    output.line(output.style.bold(title))
    if (databases.length === 0) output.line('  no databases of afresh')
    writeDatabases(databases, output)
    output.line()
  }
  if (!isOne) {
    const rows = containers.map(({ id, image, state, ageMs, isKept }) => [
      id,
      image,
      state,
      age(ageMs),
      isKept ? 'stays for the next run' : ENDS,
    ])
    section('Containers', rows, output)
    section('Embedded servers', embedded.map(embeddedRow), output)
    section('Servers that stay for databases of failed tests', lingering.map(lingeringRow), output)
    const kept = cache.entries.map(({ name, bytes, contents }) => [name, size(bytes), contents])
    section(`Cache: ${cache.folder}`, kept, output)
  }
  for (const problem of problems) output.line(`Not inspected: ${problem}`)
  const removable = servers
    .flatMap(({ databases }) => databases)
    .filter((database) => database.isRemovable).length
  const folders = embedded.filter((server) => server.isRemovable).length
  const others = [
    ...(folders === 0 ? [] : [`remove ${count(folders, 'folder')}`]),
    ...(lingering.length === 0 ? [] : [`end ${count(lingering.length, 'server')}`]),
  ]
  const also = others.map((text) => `, and ${text}`).join('')
  output.line(`\`afresh clean\` would drop ${count(removable, 'database')}${also}.`)
}

const ENDS = 'ends with its run, unless that kept databases'

function embeddedRow({
  folder,
  processes: [first],
  ageMs,
  isRemovable,
}: Status['embedded'][number]): string[] {
  const state = first === undefined ? 'no process' : `process ${first}`
  const what = first !== undefined ? ENDS : isRemovable ? 'left by a killed run' : 'starts, or ends'
  return [folder, state, age(ageMs), what]
}

function lingeringRow({ title, project, untilMs }: Status['lingering'][number]): string[] {
  return [title, project, `ends in ${age(Math.max(0, untilMs - Date.now()))}`]
}

function section(title: string, rows: readonly (readonly string[])[], output: Output): void {
  output.line(output.style.bold(title))
  if (rows.length === 0) output.line('  none')
  for (const line of aligned(rows)) output.line(line)
  output.line()
}
