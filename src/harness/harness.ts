import { type Config, type HarnessOptions, parseHarnessOptions } from '../config/options.ts'
import { costsOf } from '../costs/measure.ts'
import { guardEnvironment, guardServer } from '../database/guard.ts'
import { namesFor, newRunId } from '../database/names.ts'
import { requirePrivileges } from '../database/privileges.ts'
import { dropRun, reap, reapTemplates, runKey } from '../database/reaper.ts'
import type { Engine } from '../engine/engine.ts'
import { open } from '../engine/registry.ts'
import { withCleanUp, withUndo } from '../errors.ts'
import { explainFullMemory } from '../server/full-memory.ts'
import { pickServer } from '../server/pick-server.ts'
import { type PreparedDatabases, type RunningServer, startServer } from '../server/server.ts'
import { once } from '../util/once.ts'
import type { HarnessHandle } from './handle.ts'
import { leaseFrom } from './lease-from.ts'
import {
  type BaselineInputs,
  buildTemplate,
  inputsOf,
  prepareBaseline,
  type ServerContext,
} from './prepare-baseline.ts'
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
  const inputs = await inputsOf(config)
  const spec = await chosenServer(config, hooks)
  const prepared = spec.kind === 'embedded' ? await preparedTemplate(config, inputs) : undefined
  const server = await startServer(spec, { ...hooks, prepared })
  return withUndo(
    () =>
      harnessOn(server, { config, inputs, hooks }).catch((error) => {
        throw explainFullMemory(error, server)
      }),
    () => server.stop(),
  )
}

interface HarnessRequest {
  readonly config: Config
  readonly inputs: BaselineInputs
  readonly hooks: HarnessHooks
}

/** Kept with the server's files, unless its inputs are unknown, or there are none. */
async function preparedTemplate(
  config: Config,
  inputs: BaselineInputs,
): Promise<PreparedDatabases | undefined> {
  if (!inputs.cacheable || inputs.parts.length === 0) return undefined
  const project = await projectOf(config)
  return {
    key: [project, ...inputs.parts].join('\0'),
    build: (server) =>
      onServer(server, (context) => {
        const names = namesFor(project, context.databases.maxNameBytes)
        return buildTemplate({ ...context, names }, config, inputs)
      }),
  }
}

/** Calls `use` with a connection to the server, which is closed afterwards. */
async function onServer(
  server: RunningServer,
  use: (context: ServerContext) => Promise<void>,
): Promise<void> {
  const context = await contextOf(server)
  await withCleanUp(
    () => use(context),
    () => context.admin.close(),
  )
}

async function contextOf(server: RunningServer): Promise<ServerContext> {
  const { engine, connection: admin } = await open(server.url, { applicationName: 'afresh (harness)' })
  return withUndo(
    async () => {
      const { databases } = engine
      if (databases === undefined) throw new Error(`${engine.title} has no server`)
      const facts = await databases.facts(admin)
      return { engine, databases, admin, adminUrl: server.url, facts }
    },
    () => admin.close(),
  )
}

async function projectOf({ project, cwd }: Config): Promise<string> {
  return project ?? (await projectName(cwd))
}

async function chosenServer(config: Config, { onProgress }: HarnessHooks) {
  if (config.server !== undefined) return config.server
  const { spec, reason } = await pickServer()
  onProgress?.(reason)
  return spec
}

async function harnessOn(server: RunningServer, request: HarnessRequest): Promise<Harness> {
  const context = await contextOf(server)
  const { databases, admin, facts } = context
  return withUndo(
    async () => {
      await guardServer({
        endpoint: admin.endpoint,
        facts,
        startedByAfresh: server.startedByAfresh,
        allow: request.config.allow,
        foreignRows: () => databases.foreignRows(admin),
      })
      requirePrivileges(facts, server.url)
      return await harnessFrom(context, server, request)
    },
    () => admin.close(),
  )
}

async function harnessFrom(
  context: ServerContext,
  server: RunningServer,
  { config, inputs, hooks }: HarnessRequest,
): Promise<Harness> {
  const { databases, admin, engine } = context
  const run = newRunId()
  const project = await projectOf(config)
  const names = namesFor(project, databases.maxNameBytes)
  await databases.tryLock(admin, runKey(run))
  for (const problem of await reap(databases, admin)) hooks.onProgress?.(problem)
  const measured = {
    ...context,
    temporaryName: names.temporary(run),
    startedByAfresh: server.startedByAfresh,
  }
  const measuring =
    config.reset.strategy === 'auto' ? costsOf(measured, (line) => hooks.onProgress?.(line)) : undefined
  const { template, baseline, made, warnings } = await withUndo(
    () => prepareBaseline({ ...context, names, run }, config, inputs),
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
    fixtures: { cwd: config.cwd, sets: config.fixtureSets },
    baseline,
    costs: await measuring,
  }
  const close = once(() => closeHarness(context, server, run))
  return {
    title: titleOf(engine, context.facts.version, server.title),
    handle,
    warnings,
    lease: (options) => leaseFrom(handle, options, made),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Replaces the requested engine and version in the server's title by those that answered. */
function titleOf(engine: Engine, version: string, title: string): string {
  const number = /^\d[\d.]*/.exec(version)?.[0] ?? version
  return `${engine.title} ${number}${title.replace(/^\S+( \d[\d.]*)?/, '')}`
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
