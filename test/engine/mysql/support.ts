import type { Connection } from '../../../src/engine/connection.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { engineNamed } from '../../../src/engine/registry.ts'
import type { Detector, Program, Resetter } from '../../../src/engine/resetter.ts'
import { buildPlan, type PlanInput } from '../../../src/plan/build.ts'
import { assignSequenceRanges } from '../../../src/plan/sequence-ranges.ts'
import { describeOn, type ServerAtHand } from '../../support/servers.ts'
import { nastySchema, OTHER } from './nasty.ts'

const SERVERS = ['mysql:9.7', 'mariadb:11.8', 'mariadb:10.11'] as const

/** Declares the same tests on every server of the family. */
export function onEachServer(body: (server: ServerAtHand) => void): void {
  for (const id of SERVERS) describeOn(id, body)
}

/** The databases and connections of one test file on one server, which `close` removes. */
export class Bench {
  readonly engine: Engine
  readonly admin: Connection
  readonly #url: string
  readonly #made = new Set<string>()
  readonly #open = new Set<Connection>()
  static #next = 1

  private constructor(engine: Engine, admin: Connection, url: string) {
    this.engine = engine
    this.admin = admin
    this.#url = url
  }

  static async on({ engine, url }: ServerAtHand): Promise<Bench> {
    const found = engineNamed(engine)
    return new Bench(found, await found.connect(url), url)
  }

  get databases() {
    if (this.engine.databases === undefined) throw new Error('the engine has no databases')
    return this.engine.databases
  }

  get isMariaDb(): boolean {
    return this.engine.name === 'mariadb'
  }

  urlOf(name: string): string {
    return this.databases.urlOf(this.#url, name)
  }

  newName(kind: string): string {
    const name = `afresh_${kind}_${process.pid}_${Bench.#next++}`
    this.#made.add(name)
    return name
  }

  async connect(name: string): Promise<Connection> {
    const connection = await this.engine.connect(this.urlOf(name))
    this.#open.add(connection)
    return connection
  }

  /** Creates a marked database from this script. */
  async database(
    script: string,
    name = this.newName('my'),
  ): Promise<{ name: string; connection: Connection }> {
    await this.databases.create(this.admin, name)
    this.#made.add(name)
    const connection = await this.connect(name)
    await this.mark(connection)
    await connection.script(script, 'test')
    return { name, connection }
  }

  async nasty(): Promise<{ name: string; connection: Connection; other: string }> {
    const other = await this.database(OTHER)
    const made = await this.database(nastySchema({ mariadb: this.isMariaDb, other: other.name }))
    return { ...made, other: other.name }
  }

  async mark(connection: Connection): Promise<string> {
    const { server, database } = await this.engine.ownership.expected(connection)
    const mark = `afresh:v1:${server}:${database}:made-0123456789abcdef`
    await this.engine.ownership.write(connection, mark)
    return mark
  }

  /** Creates a marked clone of a template. */
  async clone(template: string): Promise<{ name: string; connection: Connection }> {
    const name = this.newName('clone')
    await this.databases.clone(this.admin, template, name)
    const connection = await this.connect(name)
    await this.mark(connection)
    return { name, connection }
  }

  async prepare(
    connection: Connection,
    template: string | undefined,
    input: Partial<PlanInput> & {
      readonly lockTimeoutMs?: number
      readonly detector?: Detector | 'auto'
    } = {},
  ): Promise<{ program: Program; resetter: Resetter }> {
    const { engine } = this
    const found = await engine.introspect(connection)
    const schema = input.sequences === 'spread' ? assignSequenceRanges(found) : found
    const { populated, mayDisableChecks } = await engine.inspectState(connection, schema)
    const plan = buildPlan(schema, {
      strategy: 'auto',
      sequences: 'restart',
      keep: [],
      populated,
      mayDisableChecks,
      capabilities: engine.capabilities,
      costs: engine.costs?.defaults,
      ...input,
    })
    const mark = await engine.ownership.read(connection)
    const program = {
      schema,
      plan,
      claim: mark === undefined ? undefined : { mark },
      template,
      lockTimeoutMs: input.lockTimeoutMs ?? 3000,
      detector: input.detector ?? ('auto' as const),
    }
    return { program, resetter: await engine.prepare(connection, program) }
  }

  async close(): Promise<void> {
    for (const connection of this.#open) await connection.close()
    for (const name of this.#made) {
      await this.admin.query(`SET foreign_key_checks = 0; DROP DATABASE IF EXISTS \`${name}\``)
      await this.admin.query('DELETE FROM afresh_registry.marks WHERE database_name = ?', [name])
    }
    await this.admin.close()
  }
}
