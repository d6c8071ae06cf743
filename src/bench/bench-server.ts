import { calibrate } from '../costs/calibrate.ts'
import { replaceSamples } from '../costs/store.ts'
import { guardConnected, guardEnvironment } from '../database/guard.ts'
import { makeDatabase } from '../database/lease.ts'
import { type Names, namesFor, newRunId } from '../database/names.ts'
import { requirePrivileges } from '../database/privileges.ts'
import { dropRun, reap, runKey } from '../database/reaper.ts'
import { makeTemporaryDatabase } from '../database/temporary-database.ts'
import type { Shape } from '../engine/bench-dialect.ts'
import type { Connection } from '../engine/connection.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { open } from '../engine/registry.ts'
import { withCleanUp, withUndo } from '../errors.ts'

/** Creates databases for measurements: on a server, or as files. */
export interface BenchServer {
  readonly engine: Engine
  readonly version: string
  /** Each setting that moves a time, by the server's name for it. */
  readonly settings: Readonly<Record<string, string>>
  /** Processor time that the server has used so far, in milliseconds, where it can be read. */
  readonly cpuMs?: (() => number) | undefined
  /** Creates a database with the tables of a shape. */
  build(shape: Shape): Promise<BenchDatabase>
  /** Measures and stores the costs that strategy `auto` uses. Does nothing if the engine has no TRUNCATE. */
  calibrate(): Promise<void>
  close(): Promise<void>
}

/** A database with the tables of one shape. */
export interface BenchDatabase {
  readonly connection: Connection
  /** Connections of other clients; empty if the database lives in this process. */
  others(count: number): Promise<readonly Connection[]>
  /** The same tables in a database that can be recreated from its template; absent without templates. */
  readonly cloned?: ClonedDatabase | undefined
  close(): Promise<void>
}

export interface ClonedDatabase {
  connection(): Connection
  /** Drops the database, recreates it from its template, and connects. */
  again(): Promise<void>
}

/** Facts about the server that the guard needs. */
export interface ServerAccess {
  readonly startedByAfresh: boolean
  /** Servers on other machines that exist for tests only, each as `host:port#system_identifier`. */
  readonly allow: readonly string[]
}

/**
 * Opens a server for databases that measurements create. Other databases are not changed.
 *
 * @throws AfreshError `usage`, `server`
 * @throws RefusedError for a server that the guard refuses
 */
export async function openBenchServer(
  adminUrl: string,
  { startedByAfresh, allow }: ServerAccess,
): Promise<BenchServer> {
  guardEnvironment()
  const { engine, connection: admin } = await open(adminUrl, { applicationName: 'afresh (bench)' })
  return withUndo(
    async () => {
      const { databases } = engine
      if (databases === undefined) throw new Error(`${engine.title} has no server`)
      const facts = await guardConnected({ databases, connection: admin }, { startedByAfresh, allow })
      requirePrivileges(facts, databases, adminUrl)
      const run = newRunId()
      await databases.tryLock(admin, runKey(run))
      await reap(databases, admin)
      const { version } = facts
      const context = {
        engine,
        databases,
        adminUrl,
        admin,
        run,
        names: namesFor('bench', databases.maxNameBytes),
      }
      let slot = 0
      return {
        engine,
        version,
        settings: (await engine.bench.settings?.(admin)) ?? { version },
        build: (shape) => buildOn(context, shape, () => ++slot),
        async calibrate() {
          const costs = await calibrate({ ...context, temporaryName: context.names.temporary(run) }, admin)
          await replaceSamples({ engine, connection: admin }, costs, { startedByAfresh })
        },
        close: () =>
          withCleanUp(
            () => dropRun(databases, admin, run),
            () => admin.close(),
          ),
      }
    },
    () => admin.close(),
  )
}

interface BuildContext {
  readonly engine: Engine
  readonly databases: Databases
  readonly adminUrl: string
  readonly admin: Connection
  readonly run: string
  readonly names: Names
}

async function buildOn(context: BuildContext, shape: Shape, nextSlot: () => number): Promise<BenchDatabase> {
  const { engine, admin, names, run } = context
  const temporary = await makeTemporaryDatabase(context, admin, names.database(run, nextSlot()))
  const others: Connection[] = []
  let cloned: CloneOfTemplate | undefined
  const close = () =>
    withCleanUp(
      async () => {
        await Promise.all(others.map((other) => other.close()))
        await cloned?.close()
      },
      () => temporary.drop(),
    )
  return withUndo(async () => {
    await temporary.connection.query(engine.bench.create(shape).join(';\n'))
    const made = new CloneOfTemplate(context, shape, nextSlot)
    cloned = made
    return {
      connection: temporary.connection,
      async others(count) {
        while (others.length < count) others.push(await engine.connect(temporary.url, { names: 'user' }))
        return others.slice(0, count)
      },
      cloned: { connection: () => made.connection(), again: () => made.again() },
      close,
    }
  }, close)
}

/** Creates template and clone on first use. */
class CloneOfTemplate {
  readonly #context: BuildContext
  readonly #shape: Shape
  readonly #slot: () => number
  #template: { readonly name: string; readonly mark: string } | undefined
  #clone: { readonly name: string; readonly mark: string; readonly connection: Connection } | undefined

  constructor(context: BuildContext, shape: Shape, slot: () => number) {
    this.#context = context
    this.#shape = shape
    this.#slot = slot
  }

  connection(): Connection {
    if (this.#clone === undefined) throw new Error('the clone is made by `again`')
    return this.#clone.connection
  }

  async again(): Promise<void> {
    const { databases, admin, names, run } = this.#context
    const template = await this.#templateOf()
    const name = this.#clone?.name ?? names.database(run, this.#slot())
    if (this.#clone !== undefined) {
      await this.#clone.connection.close()
      await databases.drop(admin, name, this.#clone.mark)
      this.#clone = undefined
    }
    const { claim, connection } = await makeDatabase(
      { ...this.#context, template, names: 'user' },
      admin,
      name,
    )
    this.#clone = { name, mark: claim.mark, connection }
  }

  async #templateOf(): Promise<string> {
    if (this.#template === undefined) {
      const { engine, databases, admin, names, run } = this.#context
      const { name, mark, connection } = await makeTemporaryDatabase(
        this.#context,
        admin,
        names.database(run, this.#slot()),
      )
      this.#template = { name, mark }
      await connection.query(engine.bench.create(this.#shape).join(';\n'))
      await connection.close()
      await databases.freeze(admin, name)
    }
    return this.#template.name
  }

  async close(): Promise<void> {
    const { databases, admin } = this.#context
    await this.#clone?.connection.close()
    for (const made of [this.#clone, this.#template]) {
      if (made !== undefined) await databases.drop(admin, made.name, made.mark)
    }
  }
}
