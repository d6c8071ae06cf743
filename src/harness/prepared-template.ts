import type { BaselineInputs } from '../baseline/load.ts'
import type { Config } from '../config/options.ts'
import { namesFor } from '../database/names.ts'
import { dropUnusedTemplates } from '../database/reaper.ts'
import { withCleanUp } from '../errors.ts'
import type { PreparedDatabases } from '../server/server.ts'
import { buildTemplate, withoutFixtures } from './build-template.ts'
import { layersOf, migratedLayer } from './layers.ts'
import { projectOf } from './project-name.ts'
import { contextOf } from './server-context.ts'

interface PreparedTemplate extends PreparedDatabases {
  /** Whether `build` has run. */
  wasBuilt(): boolean
}

/**
 * A template that is kept with the server's files: of the migrations alone if the fixtures are unknown.
 * `undefined` if the migrations are unknown too, or there are no inputs.
 */
export async function preparedTemplate(
  config: Config,
  inputs: BaselineInputs,
  found: () => void,
): Promise<PreparedTemplate | undefined> {
  const layer = migratedLayer(inputs)
  const project = await projectOf(config)
  let wasBuilt = false
  const built = () => {
    wasBuilt = true
  }
  const ofLayer = layer && prepared({ config: withoutFixtures(config), inputs: layer, project, built })
  const isKnown = inputs.cacheable && inputs.parts.length > 0
  const whole = isKnown ? { ...prepared({ config, inputs, project, built }), found, layer: ofLayer } : ofLayer
  return whole && { ...whole, wasBuilt: () => wasBuilt }
}

interface TemplateToPrepare {
  readonly config: Config
  readonly inputs: BaselineInputs
  readonly project: string
  /** Called before it is built. */
  built(): void
}

function prepared({ config, inputs, project, built }: TemplateToPrepare): PreparedDatabases {
  const keyOf = ({ parts }: BaselineInputs) => [project, ...parts].join('\0')
  return {
    key: keyOf(inputs),
    bases: () => layersOf(inputs).map(keyOf),
    async build(url) {
      built()
      const context = await contextOf(url)
      const { databases, admin } = context
      await withCleanUp(
        async () => {
          const names = namesFor(project, databases.maxNameBytes)
          const name = await buildTemplate({ ...context, names }, config, inputs, { mayRenameBase: true })
          // A base that was copied: copies of the server would carry it along.
          const others = (await databases.list(admin)).filter((entry) => entry.name !== name)
          await dropUnusedTemplates(databases, admin, new Set(others.map((entry) => entry.name)))
        },
        () => admin.close(),
      )
    },
  }
}
