/**
 * In: options.
 * Out: a server with a template of the baseline, from which databases are leased.
 * Called by `runner/core/served-run.ts`, the command line, and users.
 */
import type { BaselineInputs } from '../baseline/load.ts'
import { type Config, type HarnessOptions, parseHarnessOptions } from '../config/options.ts'
import { costsOf } from '../costs/measure.ts'
import { guardEnvironment, guardServer } from '../database/guard.ts'
import { isKeptOf, type Names, namesFor, newRunId } from '../database/names.ts'
import { requirePrivileges } from '../database/privileges.ts'
import { dropRun, reap, reapTemplates, runKey } from '../database/reaper.ts'
import type { Engine } from '../engine/engine.ts'
import { withCleanUp, withUndo } from '../errors.ts'
import { explainFullMemory } from '../server/full-memory.ts'
import { letLinger } from '../server/lingering.ts'
import { pickServer } from '../server/pick-server.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { once } from '../util/once.ts'
import { forgiving } from './forgiving-progress.ts'
import type { HarnessHandle } from './handle.ts'
import { leaseFrom } from './lease-from.ts'
import { inputsOf } from './name-template.ts'
import { prepareBaseline } from './prepare-baseline.ts'
import { preparedTemplate } from './prepared-template.ts'
import { type OwnPristineCopy, pristineCopy } from './pristine-copy.ts'
import { projectOf } from './project-name.ts'
import { contextOf, type ServerContext } from './server-context.ts'
import type { LeaseOptions, TestDatabase } from './test-database.ts'

/** A server with a template of the baseline, from which test databases are leased. */
export interface Harness extends AsyncDisposable {
  /** For display: `PostgreSQL 18.4 in a container (postgres:18)`. */
  readonly title: string
  /** Plain JSON with which other processes lease databases too (`join`). Contains the server's password. */
  readonly handle: HarnessHandle
  /** Whether the template was built by this run, and not found as an earlier one left it. */
  readonly isTemplateNew: boolean
  /** Probable mistakes, as sentences. */
  readonly warnings: readonly string[]
  /** Leases a test database for exclusive use. */
  lease(options?: LeaseOptions): Promise<TestDatabase>
  /** Drops the databases of this run, and stops the server if afresh started it. Can be called repeatedly. */
  close(): Promise<void>
}

/**
 * Starts or connects to the server, and builds a template with the baseline. A failure leaves neither server
 * nor database behind.
 *
 * @throws AfreshError `usage` for invalid options, `server` if no server is available, `baseline` if
 * migrations or fixtures fail
 * @throws RefusedError if the guard refuses the server
 */
export function createHarness(options: HarnessOptions = {}): Promise<Harness> {
  return createHarnessFrom(options)
}

export interface HarnessStart {
  /** What the options' files are, if the caller has read them already: they may be large. */
  readonly described?: BaselineInputs | undefined
  /**
   * Called, perhaps repeatedly, if an earlier run has left the template: nothing is migrated, and the start
   * takes a fraction of a second from then on.
   */
  readonly onTemplateFound?: (() => void) | undefined
}

/** `createHarness`, for callers with more knowledge. */
export async function createHarnessFrom(
  options: HarnessOptions,
  { described, onTemplateFound = () => {} }: HarnessStart = {},
): Promise<Harness> {
  const given = parseHarnessOptions(options)
  guardEnvironment()
  const { progress, problems } = forgiving(given.progress)
  const config = { ...given, progress }
  const inputs = await inputsOf(config, described)
  const spec = await chosenServer(config)
  const prepared =
    spec.kind === 'embedded' ? await preparedTemplate(config, inputs, onTemplateFound) : undefined
  const wasBuilt = prepared?.wasBuilt ?? (() => false)
  const server = await startServer(spec, { progress, prepared })
  return withUndo(
    () =>
      harnessOn(server, { config, inputs, problems, onTemplateFound, wasBuilt }).catch((error) => {
        throw explainFullMemory(error, server)
      }),
    () => server.stop(),
  )
}

interface HarnessRequest {
  readonly config: Config
  readonly inputs: BaselineInputs
  /** Sentences for people. */
  readonly problems: readonly string[]
  /** See `HarnessStart`. */
  onTemplateFound(): void
  /** Whether this run has built the template that the server started with. */
  wasBuilt(): boolean
}

async function chosenServer(config: Config) {
  if (config.server !== undefined) return config.server
  const { spec, reason } = await pickServer(config)
  config.progress({ phase: 'notice', label: reason })
  return spec
}

async function harnessOn(server: RunningServer, request: HarnessRequest): Promise<Harness> {
  const context = await contextOf(server.url)
  const { databases, admin, facts } = context
  const { config } = request
  return withUndo(
    async () => {
      await guardServer({
        endpoint: admin.endpoint,
        facts,
        startedByAfresh: server.startedByAfresh,
        allow: config.allow,
        foreignRows: () => {
          config.progress({ phase: 'check' })
          return databases.foreignRows(admin)
        },
      })
      requirePrivileges(facts, databases, server.url)
      return await harnessFrom(context, server, request)
    },
    () => admin.close(),
  )
}

async function harnessFrom(
  context: ServerContext,
  server: RunningServer,
  { config, inputs, problems, onTemplateFound, wasBuilt }: HarnessRequest,
): Promise<Harness> {
  const { databases, admin, engine } = context
  const { progress } = config
  const notice = (label: string) => progress({ phase: 'notice', label })
  const run = newRunId()
  const project = await projectOf(config)
  const names = namesFor(project, databases.maxNameBytes)
  await databases.tryLock(admin, runKey(run))
  progress({ phase: 'clean' })
  for (const problem of await reap(databases, admin)) notice(problem)
  const { startedByAfresh } = server
  const measured = { ...context, temporaryName: names.temporary(run), startedByAfresh }
  const measuring = config.reset.strategy === 'auto' ? costsOf(measured, notice) : undefined
  const wanted = { ...context, names, run, isKept: !server.endsWithRun, onTemplateFound }
  const { template, layer, isTemplateNew, baseline, made, warnings } = await withUndo(
    () => prepareBaseline(wanted, config, inputs),
    async () => {
      await measuring
      await dropMade(context, server, run)
    },
  )
  const used = new Set(layer === undefined ? [template] : [template, layer])
  for (const problem of await reapTemplates(databases, admin, { names, run, used })) notice(problem)
  if (measuring !== undefined) progress({ phase: 'measure' })
  const handle: HarnessHandle = {
    engine: engine.name,
    adminUrl: context.adminUrl,
    server: { kind: server.kind, data: server.data, endsWithRun: server.endsWithRun },
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
  const pristine = pristineCopy({ ...context, template, name: () => names.copy(run) })
  const close = once(() => closeHarness(context, server, { run, names, project, pristine }))
  return {
    title: titleOf(engine, context.facts.version, server.title),
    handle,
    isTemplateNew: isTemplateNew || wasBuilt(),
    warnings: [...warnings, ...problems],
    lease: (options) => leaseFrom(handle, options, { ...made, pristine, progress }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Replaces the requested engine and version in the server's title by those that answered. */
function titleOf(engine: Engine, version: string, title: string): string {
  const number = /^\d[\d.]*/.exec(version)?.[0] ?? version
  return `${engine.title} ${number}${title.replace(/^\S+( \d[\d.]*)?/, '')}`
}

interface EndingRun {
  readonly run: string
  readonly names: Names
  readonly project: string
  readonly pristine: OwnPristineCopy
}

async function closeHarness(
  context: ServerContext,
  server: RunningServer,
  { run, names, project, pristine }: EndingRun,
): Promise<void> {
  await withCleanUp(
    async () => {
      await pristine.close()
      await dropMade(context, server, run)
    },
    async () => {
      const stays = server.linger !== undefined && (await hasKept(context, names))
      await context.admin.close().catch(() => {})
      await (stays ? letLinger(server, project) : server.stop())
    },
  )
}

/** A server that does not answer any more has nothing to show. */
async function hasKept({ databases, admin }: ServerContext, names: Names): Promise<boolean> {
  const found = await databases.list(admin).catch(() => [])
  return found.some(({ name }) => isKeptOf(name, names))
}

/**
 * Does nothing if the server ends with the run. Connects again: the first connection may be lost by now. Sessions
 * of a run that was killed just before this one started may have ended only since then.
 */
async function dropMade(
  { engine, databases, adminUrl }: ServerContext,
  server: RunningServer,
  run: string,
): Promise<void> {
  if (server.endsWithRun) return
  const admin = await engine.connect(adminUrl)
  await withCleanUp(
    async () => {
      await dropRun(databases, admin, run)
      await reap(databases, admin)
    },
    () => admin.close(),
  )
}
