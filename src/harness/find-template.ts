import { type HarnessOptions, parseHarnessOptions } from '../config/options.ts'
import { namesFor } from '../database/names.ts'
import type { Databases } from '../engine/databases.ts'
import type { Opened } from '../engine/registry.ts'
import { AfreshError } from '../errors.ts'
import { inputsOf, nameTemplate } from './name-template.ts'
import { projectOf } from './project-name.ts'

/**
 * The template from which afresh copied the connection's database: that of its run, if it has one of its own;
 * else the only one of its project; else the one that the configuration describes.
 *
 * @throws AfreshError `usage` if none or several could be it
 */
export async function findTemplate(
  { engine, connection }: Opened,
  databases: Databases,
  options: HarnessOptions,
): Promise<string> {
  const { database, url = '' } = connection
  const templates = (await databases.list(connection)).filter(({ frozen }) => frozen).map(({ name }) => name)
  const ofRun = database.replace(/_\d+$/, '_0')
  if (templates.includes(ofRun)) return ofRun
  const prefix = database.replace(/_[a-z0-9]{10}_\d+$/, '_t_')
  const candidates = templates.filter((name) => name.startsWith(prefix))
  const [only, ...others] = candidates
  if (only !== undefined && others.length === 0) return only
  const config = parseHarnessOptions(options)
  const names = namesFor(await projectOf(config), databases.maxNameBytes)
  const facts = await databases.facts(connection)
  const template = nameTemplate({ engine, facts, adminUrl: url }, names, await inputsOf(config))
  if (template !== undefined && candidates.includes(template)) return template
  throw new AfreshError(
    'usage',
    candidates.length === 0
      ? `The template of "${database}" is not on its server.`
      : `Several templates could be that of "${database}": ${candidates.join(', ')}.`,
    { next: 'Name it by --template; `afresh status` lists all.' },
  )
}
