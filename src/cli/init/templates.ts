import type { Command } from '../../baseline/load.ts'
import { SERVERS, type ServerEngine } from '../../engine/registry.ts'
import type { ServerSpec } from '../../server/spec.ts'
import type { Choices } from './choices.ts'

/** The contents of `afresh.config.*`. Without `migrate`, a comment points out that it is missing. */
export function configText(server: ServerSpec, migrate: string | Command | undefined): string {
  const { expression, imports } = serverText(server)
  const migrateLine =
    migrate === undefined
      ? '// migrate: a function, a folder of .sql files, or a shell command that gets DATABASE_URL'
      : `migrate: ${typeof migrate === 'string' ? quoted(migrate) : commandText(migrate)},`
  return `import { ${imports} } from 'afresh'

export default defineConfig({
  server: ${expression},
  ${migrateLine}
})
`
}

function commandText({ command, inputs = [] }: Command): string {
  const list = typeof inputs === 'string' ? quoted(inputs) : `[${inputs.map(quoted).join(', ')}]`
  return `{ command: ${quoted(command)}, inputs: ${list} }`
}

function serverText(spec: ServerSpec): { expression: string; imports: string } {
  const plain = (value: string) => ({ expression: quoted(value), imports: 'defineConfig' })
  if (spec.kind === 'embedded') return plain('embedded')
  if (spec.kind === 'existing') return plain(spec.url)
  // The name is sufficient if it identifies the engine.
  if (/[\w-]+(?=(?::[\w.-]+)?(?:@.*)?$)/.exec(spec.image)?.[0] === spec.engine) return plain(spec.image)
  return {
    expression: `container(${quoted(spec.image)}, { engine: '${spec.engine}' })`,
    imports: 'container, defineConfig',
  }
}

/** A string literal. */
function quoted(text: string): string {
  return text.includes("'") || text.includes('\\') || /[\n\r]/.test(text) ? JSON.stringify(text) : `'${text}'`
}

export const VITEST_CONFIG = `import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['afresh/vitest/global-setup'],
    setupFiles: ['afresh/vitest/reset'],
  },
})
`

/** @param transform a line for the language of the tests */
export function jestConfig(isModule: boolean, transform: string | undefined): string {
  return `/** @type {import('jest').Config} */
${isModule ? 'export default' : 'module.exports ='} {
${transform === undefined ? '' : `  ${transform},\n`}  globalSetup: 'afresh/jest/global-setup',
  globalTeardown: 'afresh/jest/global-teardown',
  setupFilesAfterEnv: ['afresh/jest/reset'],
}
`
}

export function configExtension({ language }: Choices): string {
  return language.value === 'TypeScript' ? 'ts' : 'js'
}

export const MOCHA_CONFIG = `{
  "require": ["afresh/mocha"]
}
`

export function exampleMigration(engine: ServerEngine): string {
  return `CREATE TABLE users (${SERVERS[engine].project.exampleColumns});
INSERT INTO users (name) VALUES ('Ada');
`
}
