/**
 * In: a server and a configuration. Out: a template with the baseline, built or found, a first copy of it, and
 * what both contain.
 */
import type { BaselineInputs } from '../baseline/load.ts'
import type { Config } from '../config/options.ts'
import { makeDatabase } from '../database/lease.ts'
import { templateKey, withTemplate } from '../database/template.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { AfreshError, withCleanUp } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../reset/make-plan.ts'
import type { Schema } from '../schema/schema.ts'
import type { Progress } from '../util/progress.ts'
import { type NamedContext, wantedTemplate } from './build-template.ts'
import { type BaselineDigest, digest } from './handle.ts'
import type { MadeHere } from './lease-session.ts'
import { nameTemplate } from './name-template.ts'
import type { ServerContext } from './server-context.ts'
import { type ContentsKey, readContents, type TemplateContents, writeContents } from './template-contents.ts'

interface RunContext extends NamedContext {
  readonly run: string
  /** Whether what the run leaves on the server is there for the next one. */
  readonly isKept: boolean
  /** See `HarnessStart`. */
  onTemplateFound(): void
}

export interface PreparedBaseline {
  /** The name of the template. */
  readonly template: string
  /** The name of the template with its migrations alone; `undefined` if there is none. */
  readonly layer: string | undefined
  /** Whether this run built the template. */
  readonly isTemplateNew: boolean
  readonly baseline: BaselineDigest
  readonly made: Omit<MadeHere, 'pristine' | 'progress'>
  readonly warnings: readonly string[]
}

/** @throws AfreshError `baseline` if migrations or fixtures fail */
export async function prepareBaseline(
  context: RunContext,
  config: Config,
  inputs: BaselineInputs,
): Promise<PreparedBaseline> {
  const { names, run, isKept, onTemplateFound, ...server } = context
  const { progress } = config
  const { engine, admin, facts } = server
  const named = nameTemplate(context, names, inputs)
  // Without a reliable hash of its inputs, the template is private to this run, like a test database.
  const template = named ?? names.database(run, 0)
  let isConfined = true
  const onUnconfined = () => {
    isConfined = false
  }
  const { layer, ...wanted } = wantedTemplate({ ...server, names }, config, inputs, { isKept, onUnconfined })
  const leftOut: string[] = []
  const first = await withTemplate({ ...wanted, name: template }, async (found) => {
    if (!found.isNew) onTemplateFound()
    const source = { ...server, template, progress, leftOut: (what: string) => leftOut.push(what) }
    return { ...(await makeDatabase(source, admin, names.database(run, 1))), ...found }
  })
  return withCleanUp(
    async () => {
      const key = { mark: first.mark, options: config.reset, privileges: facts.privileges }
      const read = contentsOf(engine, first.connection, key, { cacheable: inputs.cacheable, progress })
      const { baseline, catalog, schema, plan } = await read.catch(async (error) => {
        if (isPlanError(error)) await dropTemplate(server, template, first.mark)
        throw error
      })
      return {
        template,
        layer,
        isTemplateNew: first.isNew,
        baseline,
        made: { untouched: first.claim.mark, catalog, findings: new Map() },
        warnings: [
          ...warningsOf(config, baseline),
          ...leftOut.map(leftOutWarning),
          ...(isConfined ? [] : await unconfined(engine, admin)),
          ...((await engine.warnings?.(first.connection, schema, plan)) ?? []),
        ],
      }
    },
    () => first.connection.close(),
  )
}

function isPlanError(error: unknown): boolean {
  return error instanceof AfreshError && error.code === 'plan'
}

/** A template that no plan can reset would stay, and its keys to other databases in the way of dropping those. */
async function dropTemplate({ databases, admin }: ServerContext, name: string, mark: string): Promise<void> {
  const key = templateKey(name)
  // Another run that has the lock is about to copy it, and drops it itself.
  if (!(await databases.tryLock(admin, key, { everywhere: true }))) return
  await withCleanUp(
    () => databases.drop(admin, name, mark).catch(() => {}),
    () => databases.unlock(admin, key),
  )
}

/** Reads the first copy, because a template accepts no connections. Plans from what is kept, or was read. */
async function contentsOf(
  engine: Engine,
  copy: Connection,
  key: ContentsKey,
  { cacheable, progress }: { readonly cacheable: boolean; readonly progress: Progress },
): Promise<TemplateContents & { readonly schema: Schema; readonly plan: Plan }> {
  const kept = cacheable ? await readContents(key) : undefined
  if (kept === undefined) progress({ phase: 'read' })
  const found = kept?.catalog.found ?? (await engine.introspect(copy))
  const known = { found, ...(kept && { survey: kept.catalog.survey }) }
  const { schema, plan, survey } = await planFor(engine, copy, key.options, known)
  if (kept !== undefined) return { ...kept, schema, plan }
  const contents = await engine.fingerprint(copy, schema)
  const baseline = digest(schema, plan, contents, await engine.definitions?.(copy))
  const catalog = { found, survey }
  if (cacheable) await writeContents(key, { baseline, catalog })
  return { baseline, catalog, schema, plan }
}

/** Without migrations and fixtures, an empty baseline is intended. */
function warningsOf({ migrate, fixtures }: Config, { tables }: BaselineDigest): string[] {
  if (tables.length > 0 || (migrate === undefined && fixtures === undefined)) return []
  return ['the baseline has no table: check whether the migrations ran, and in this database.']
}

async function unconfined(engine: Engine, admin: Connection): Promise<string[]> {
  const warning = await engine.unconfinedWarning?.(admin)
  return warning === undefined ? [] : [warning]
}

function leftOutWarning(what: string): string {
  return `test databases are without ${what}: drop it in the migrations, or bring back what it needs.`
}
