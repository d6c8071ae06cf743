import type { Config } from '../config/options.ts'
import { namesFor } from '../database/names.ts'
import { withCleanUp } from '../errors.ts'
import type { PreparedDatabases } from '../server/server.ts'
import type { BaselineInputs } from './name-template.ts'
import { buildTemplate } from './prepare-baseline.ts'
import { projectOf } from './project-name.ts'
import { contextOf } from './server-context.ts'

interface PreparedTemplate extends PreparedDatabases {
  /** Whether `build` has run. */
  wasBuilt(): boolean
}

/** A template that is kept with the server's files; `undefined` if its inputs are unknown, or there are none. */
export async function preparedTemplate(
  config: Config,
  inputs: BaselineInputs,
): Promise<PreparedTemplate | undefined> {
  if (!inputs.cacheable || inputs.parts.length === 0) return undefined
  const project = await projectOf(config)
  let wasBuilt = false
  return {
    key: [project, ...inputs.parts].join('\0'),
    wasBuilt: () => wasBuilt,
    async build(url) {
      wasBuilt = true
      const context = await contextOf(url)
      const names = namesFor(project, context.databases.maxNameBytes)
      await withCleanUp(
        () => buildTemplate({ ...context, names }, config, inputs),
        () => context.admin.close(),
      )
    },
  }
}
