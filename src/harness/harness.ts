import { createHash } from 'node:crypto'
import { applyBaseline, describeInputs } from '../baseline/load.ts'
import { type Config, type HarnessOptions, parseHarnessOptions } from '../config/options.ts'
import { costsOf } from '../costs/measure.ts'
import { guardEnvironment, guardServer } from '../database/guard.ts'
import { makeDatabase } from '../database/lease.ts'
import { namesFor, newRunId } from '../database/names.ts'
import { requirePrivileges } from '../database/privileges.ts'
import { dropRun, reap, reapTemplates, runKey } from '../database/reaper.ts'
import { withTemplate } from '../database/template.ts'
import type { Claim } from '../engine/claim.ts'
import type { Connection } from '../engine/connection.ts'
import type { Databases, ServerFacts } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { open } from '../engine/registry.ts'
import { withCleanUp, withUndo } from '../errors.ts'
import { planFor } from '../reset/make-plan.ts'
import { explainFullMemory } from '../server/full-memory.ts'
import { pickServer } from '../server/pick-server.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { once } from '../util/once.ts'
import { type BaselineDigest, digest, type HarnessHandle } from './handle.ts'
import { leaseFrom } from './lease-from.ts'
import type { MadeHere } from './lease-session.ts'
import { projectName } from './project-name.ts'
import type { LeaseOptions, TestDatabase } from './test-database.ts'

/** A server with a template of the baseline, from which test databases are leased. */
export interface Harness extends AsyncDisposable {
  /** For display: `PostgreSQL 18.4 in a container (postgres:18)`. */
  readonly title: string
  /** Plain JSON with which other processes lease databases too (`join`). Contains the server's password. */
  readonly handle: HarnessHandle
  /** Probable mistakes, as sentences. */
  readonly warnings: readonly string[]
  /** Leases a test database for exclusive use. */
  lease(options?: LeaseOptions): Promise<TestDatabase>
  /** Drops the databases of this run, and stops the server if afresh started it. Can be called repeatedly. */
  close(): Promise<void>
}

/** Callbacks of `createHarness`. */
export interface HarnessHooks {
  /** Called with a line of text when a step takes long. */
  readonly onProgress?: (line: string) => void
}

/**
 * Starts or connects to the server, and builds a template with the baseline. A failure leaves neither server
 * nor database behind.
 *
 * @throws AfreshError `usage` for invalid options, `server` if no server is available, `baseline` if
 * migrations or fixtures fail
 * @throws RefusedError if the guard refuses the server
 */
export async function createHarness(
  options: HarnessOptions = {},
  hooks: HarnessHooks = {},
): Promise<Harness> {
  const config = parseHarnessOptions(options)
  guardEnvironment()
  const server = await startServer(await chosenServer(config, hooks), hooks)
  return withUndo(
    () =>
      harnessOn(server, config, hooks).catch((error) => {
        throw explainFullMemory(error, server)
      }),
    () => server.stop(),
  )
}

async function chosenServer(config: Config, { onProgress }: HarnessHooks) {
  if (config.server !== undefined) return config.server
  const { spec, reason } = await pickServer()
  onProgress?.(reason)
  return spec
}

interface ServerContext {
  readonly engine: Engine
  readonly databases: Databases
  readonly admin: Connection
  readonly adminUrl: string
  readonly facts: ServerFacts
}

async function harnessOn(server: RunningServer, config: Config, hooks: HarnessHooks): Promise<Harness> {
  const { engine, connection: admin } = await open(server.url, { applicationName: 'afresh (harness)' })
  return withUndo(
    async () => {
      const { databases } = engine
      if (databases === undefined) throw new Error(`${engine.title} has no server`)
      const facts = await databases.facts(admin)
      const context = { engine, databases, admin, adminUrl: server.url, facts }
      await guardServer({
        endpoint: admin.endpoint,
        facts,
        startedByAfresh: server.startedByAfresh,
        allow: config.allow,
        foreignRows: () => databases.foreignRows(admin),
      })
      requirePrivileges(facts, server.url)
      return await harnessFrom(context, server, config, hooks)
    },
    () => admin.close(),
  )
}

async function harnessFrom(
  context: ServerContext,
  server: RunningServer,
  config: Config,
  hooks: HarnessHooks,
): Promise<Harness> {
  const { databases, admin, engine } = context
  const run = newRunId()
  const project = config.project ?? (await projectName(config.cwd))
  const names = namesFor(project, databases.maxNameBytes)
  await databases.tryLock(admin, runKey(run))
  for (const problem of await reap(databases, admin)) hooks.onProgress?.(problem)
  const inputs = await describeInputs(config.migrate, config.fixtures, config.cwd, config.fingerprint)
  const role = new URL(context.adminUrl).username
  // Without a reliable hash of its inputs, the template is private to this run, like a test database.
  const template = inputs.cacheable
    ? names.template(hash([engine.name, context.facts.version, role, ...inputs.parts]))
    : names.database(run, 0)
  const measured = {
    ...context,
    temporaryName: names.temporary(run),
    startedByAfresh: server.startedByAfresh,
  }
  const measuring =
    config.reset.strategy === 'auto' ? costsOf(measured, (line) => hooks.onProgress?.(line)) : undefined
  const leftOut: string[] = []
  const { baseline, made, warnings } = await withUndo(
    async () => {
      const fill = (connection: Connection) =>
        applyBaseline(connection, { ...config, countObjects: engine.countObjects })
      const first = await withTemplate({ ...context, name: template, fill }, () =>
        makeDatabase(
          { ...context, template, leftOut: (what) => leftOut.push(what) },
          admin,
          names.database(run, 1),
        ),
      )
      return await inspected(context, config, first)
    },
    async () => {
      await measuring
      await dropMade(context, server, run)
    },
  )
  const left = await reapTemplates(databases, admin, { names, run, template })
  for (const problem of left) hooks.onProgress?.(problem)
  const handle: HarnessHandle = {
    engine: engine.name,
    adminUrl: context.adminUrl,
    server: { kind: server.kind, data: server.data },
    project,
    run,
    template,
    options: config.reset,
    rollback: config.rollback,
    tests: config.tests,
    baseline,
    costs: await measuring,
  }
  const close = once(() => closeHarness(context, server, run))
  return {
    title: titleOf(engine, context.facts.version, server.title),
    handle,
    warnings: [...warningsOf(config, baseline), ...leftOut.map(leftOutWarning), ...warnings],
    lease: (options) => leaseFrom(handle, options, made),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Without migrations and fixtures, an empty baseline is intended. */
function warningsOf({ migrate, fixtures }: Config, { tables }: BaselineDigest): string[] {
  if (tables.length > 0 || (migrate === undefined && fixtures === undefined)) return []
  return ['the baseline has no table: look whether the migrations ran, and in this database.']
}

function leftOutWarning(what: string): string {
  return `test databases are without ${what}: drop it in the migrations, or bring back what it needs.`
}

/** Replaces the requested engine and version in the server's title by those that answered. */
function titleOf(engine: Engine, version: string, title: string): string {
  const number = /^\d[\d.]*/.exec(version)?.[0] ?? version
  return `${engine.title} ${number}${title.replace(/^\S+( \d[\d.]*)?/, '')}`
}

/** Measures the baseline on the first test database, because a template accepts no connections. */
function inspected(
  { engine }: ServerContext,
  config: Config,
  { connection, claim }: { readonly connection: Connection; readonly claim: Claim },
): Promise<{
  readonly baseline: BaselineDigest
  readonly made: MadeHere
  readonly warnings: readonly string[]
}> {
  return withCleanUp(
    async () => {
      const found = await engine.introspect(connection)
      const { schema, plan, survey } = await planFor(engine, connection, config.reset, { found })
      const contents = await engine.fingerprint(connection, schema)
      return {
        baseline: digest(schema, plan, contents, await engine.definitions?.(connection)),
        made: { untouched: claim.mark, catalog: { found, survey } },
        warnings: (await engine.warnings?.(connection, schema, plan)) ?? [],
      }
    },
    () => connection.close(),
  )
}

async function closeHarness(context: ServerContext, server: RunningServer, run: string): Promise<void> {
  await withCleanUp(
    () => dropMade(context, server, run),
    async () => {
      await context.admin.close().catch(() => {})
      await server.stop()
    },
  )
}

/** Does nothing if the server ends with the run. Connects again: the first connection may be lost by now. */
async function dropMade(
  { engine, databases, adminUrl }: ServerContext,
  server: RunningServer,
  run: string,
): Promise<void> {
  if (server.endsWithRun) return
  const admin = await engine.connect(adminUrl)
  await withCleanUp(
    () => dropRun(databases, admin, run),
    () => admin.close(),
  )
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}
