import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Opened, SERVERS, type ServerEngine } from '../../engine/registry.ts'
import { packageRoot } from '../package-root.ts'

/** A database with rows, and tests that write to it. */
export interface Scenario {
  readonly title: string
  /** The SQL file that creates the tables. */
  readonly schemaFile: string
  /** Writes the rows of the baseline. */
  fill(opened: Opened): Promise<void>
  /** The tests, to be run once. They write through the connection, as an application would. */
  tests(client: Opened): Promise<readonly ScenarioTest[]>
}

export interface ScenarioTest {
  readonly title: string
  /** Writes to the database. Describes what it wrote if the title does not. */
  write(): Promise<string | undefined>
}

/** Lantern Books, the sample included in the package. Its tests are readable SQL files. */
export async function sampleScenario(engine: ServerEngine): Promise<Scenario> {
  const root = join(packageRoot(), 'fixtures', 'demo')
  const folder = join(root, SERVERS[engine].project.demoFolder)
  const names = (await readdir(join(folder, 'tests'))).filter((name) => name.endsWith('.sql')).sort()
  const files = await Promise.all(names.map((name) => readFile(join(folder, 'tests', name), 'utf8')))
  return {
    title: 'Lantern Books, an online bookshop',
    schemaFile: join(folder, 'schema.sql'),
    async fill({ connection }) {
      await connection.script(await readFile(join(folder, 'data.sql'), 'utf8'), 'data.sql')
    },
    async tests({ connection }) {
      return files.map((sql, index) => ({
        title: /^-- (.*)/.exec(sql)?.[1] ?? names[index] ?? '',
        async write() {
          await connection.script(sql, names[index] ?? '')
          return undefined
        },
      }))
    },
  }
}
