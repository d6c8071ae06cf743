/**
 * In: a server, a configuration and its inputs. Out: how its template is built: from the beginning, or from the
 * template with the longest beginning of its migrations.
 */
import { applyBaseline, type BaselineInputs } from '../baseline/load.ts'
import type { Config } from '../config/options.ts'
import type { Names } from '../database/names.ts'
import { type TemplateBase, type TemplateWanted, withTemplate } from '../database/template.ts'
import { layersOf, migratedLayer } from './layers.ts'
import { nameTemplate } from './name-template.ts'
import type { ServerContext } from './server-context.ts'

export interface NamedContext extends ServerContext {
  readonly names: Names
}

interface BuildOptions {
  /** Whether what is built stays on the server, so that a template of the migrations alone is of use. */
  readonly isKept: boolean
  /** See `TemplateWanted`. Default `false`. */
  readonly mayRenameBase?: boolean
  /** See `BaselineOptions`. */
  readonly onUnconfined?: () => void
}

interface WantedTemplate extends Omit<TemplateWanted, 'name'> {
  /** The name of the template of its migrations alone, which is built first; `undefined` for none. */
  readonly layer: string | undefined
}

/**
 * Builds the template on a server that is kept with it, without one of the migrations alone.
 *
 * @param options see `TemplateWanted`
 * @returns its name
 * @throws AfreshError `baseline` if migrations or fixtures fail
 */
export async function buildTemplate(
  context: NamedContext,
  config: Config,
  inputs: BaselineInputs,
  { mayRenameBase = false }: { readonly mayRenameBase?: boolean } = {},
): Promise<string> {
  const name = templateName(context, inputs)
  const { layer, ...wanted } = wantedTemplate(context, config, inputs, { isKept: false, mayRenameBase })
  await withTemplate({ ...wanted, name }, async () => {})
  return name
}

export function wantedTemplate(
  context: NamedContext,
  config: Config,
  inputs: BaselineInputs,
  { isKept, mayRenameBase = false, onUnconfined }: BuildOptions,
): WantedTemplate {
  const { names, ...server } = context
  const { engine, databases } = server
  const isLayered = databases.copySettings !== undefined
  const layer = isLayered && isKept ? migratedLayer(inputs) : undefined
  const options = { ...config, engine, countObjects: engine.countObjects, onUnconfined }
  return {
    ...server,
    progress: config.progress,
    mayRenameBase,
    layer: layer && templateName(context, layer),
    async bases() {
      if (!isLayered) return []
      // Of 140 tables the copy takes 30 ms, and their migrations 600: it pays when fixtures change once.
      if (layer !== undefined) await buildTemplate(context, withoutFixtures(config), layer)
      return layersOf(inputs).map((one) => ({
        name: templateName(context, one),
        files: one.migrations.length,
      }))
    },
    fill(connection, base) {
      if (base !== undefined) announce(config, inputs, base)
      const applied = inputs.migrations.slice(0, base?.files ?? 0).map(({ label }) => label)
      return applyBaseline(connection, { ...options, applied })
    },
  }
}

/** For the template of the migrations alone. */
export function withoutFixtures(config: Config): Config {
  return { ...config, fixtures: undefined }
}

function templateName(context: NamedContext, inputs: BaselineInputs): string {
  const name = nameTemplate(context, context.names, inputs)
  if (name === undefined) throw new Error('a template without a name cannot be kept')
  return name
}

function announce({ progress }: Config, { migrations }: BaselineInputs, { files }: TemplateBase): void {
  const label = migrations[files - 1]?.label ?? ''
  progress({ phase: 'continue', label, current: files, total: migrations.length })
}
