import type { ServerSpec } from '../../server/spec.ts'
import { aligned, type Output, printable } from '../output.ts'
import type { Choices } from './choices.ts'
import type { Migrations } from './migrations.ts'
import type { ProjectInfo } from './project-info.ts'

/** Prints each decision with its reason. */
export function writeChoices(project: ProjectInfo, choices: Choices, output: Output): void {
  const { engine, server, client, migrate, runner, language } = choices
  const rows: readonly (readonly [string, string, string])[] = [
    ['engine', engine.value, engine.reason],
    ['server', serverLabel(server.value), server.reason],
    ['client', client.value, client.reason],
    ['migrate', migrateLabel(migrate.value), migrate.reason],
    ['runner', runner.value, runner.reason],
    ['language', language.value, language.reason],
    ['packages', project.packageManager.value, project.packageManager.reason],
  ]
  for (const line of aligned(rows.map((row) => row.map((cell) => printable(cell))))) output.line(line)
}

/** Without the password of a URL. */
export function serverLabel(spec: ServerSpec): string {
  if (spec.kind === 'embedded') return 'embedded'
  if (spec.kind === 'container') return spec.image
  const url = new URL(spec.url)
  return `${url.protocol}//${url.host}${url.pathname}`
}

export function migrateLabel(migrations: Migrations): string {
  switch (migrations.kind) {
    case 'command':
      return migrations.command
    case 'sql':
      return migrations.path
    case 'example':
      return 'an example'
    case 'unknown':
      return '-'
  }
}

export function writeDiff(diff: readonly string[], output: Output): void {
  for (const line of diff) {
    // Keep tabs: they are harmless and part of the line.
    const text = line
      .split('\t')
      .map((part) => printable(part))
      .join('\t')
    output.line(colour(text, output))
  }
}

function colour(line: string, { style }: Output): string {
  if (/^(?:---|\+\+\+) /.test(line)) return style.bold(line)
  if (line.startsWith('+')) return style.good(line)
  if (line.startsWith('-')) return style.bad(line)
  return line.startsWith('@@') ? style.dim(line) : line
}
