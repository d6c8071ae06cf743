import { describe, expect, it } from 'vitest'
import { configPatch } from '../../src/cli/init/config-patch.ts'
import { chooseMigrations } from '../../src/cli/init/migrations.ts'
import { facts } from '../cli/init/project.ts'

const ENTRIES = [
  { key: 'globalSetup', value: 'afresh/jest/global-setup', isList: false },
  { key: 'globalTeardown', value: 'afresh/jest/global-teardown', isList: false },
  { key: 'setupFilesAfterEnv', value: 'afresh/jest/reset', isList: true },
]
const PLACE = { anchor: /^module\.exports\s*=[^{]*\{/, combine: 'docs/jest.md' }

describe('a jest configuration that has a globalSetup', () => {
  it.each([
    ['on a line of its own', `module.exports = {\n  globalSetup: './mine.js',\n}\n`],
    ['in one line', `module.exports = { globalSetup: './mine.js', preset: 'x' }\n`],
    ['made by a function', `module.exports = make({ globalSetup: './mine.js' })\n`],
  ])('gets no second one (%s), and a note explains how to have both', (_, text) => {
    const addition = configPatch('jest.config.js', text, ENTRIES, PLACE)
    const diff = addition?.diff.join('\n') ?? ''
    expect(diff).not.toContain('afresh/jest/global-setup')
    expect(diff).toContain('afresh/jest/global-teardown')
    expect(diff).toContain('afresh/jest/reset')
    expect(addition?.notes.join('\n')).toMatch(
      /globalSetup of its own.*afresh\/jest\/global-setup.*docs\/jest\.md/,
    )
  })
})

describe("the project's own script that migrates", () => {
  it.each([
    ['migrate', 'knex migrate:latest --env test', 'npm run migrate'],
    ['db:migrate', 'node scripts/migrate.js', 'npm run db:migrate'],
    ['migrate:up', 'node-pg-migrate up', 'npm run migrate:up'],
  ])('is used (%s: %s)', (name, text, command) => {
    const { value, note } = chooseMigrations(facts({ scripts: { [name]: text } }))
    expect(value).toEqual({ kind: 'command', command })
    expect(note).toContain('DATABASE_URL')
  })

  it.each([
    ['migrate', 'prisma migrate dev'],
    ['migrate', 'dotenv -- knex migrate:latest'],
    ['migrate:down', 'knex migrate:rollback'],
    ['migrate:create', 'knex migrate:make'],
  ])('is ignored (%s: %s)', (name, text) => {
    expect(chooseMigrations(facts({ scripts: { [name]: text } })).value.kind).toBe('example')
  })
})
