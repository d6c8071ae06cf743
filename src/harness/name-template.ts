import { createHash } from 'node:crypto'
import { type BaselineInputs, describeInputs } from '../baseline/load.ts'
import type { Config } from '../config/options.ts'
import type { Names } from '../database/names.ts'
import type { ServerFacts } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { checkFixtureSets } from './load-fixtures.ts'

/**
 * @param described what they are, if they have been read already
 * @throws AfreshError `usage` if an input does not exist
 */
export async function inputsOf(config: Config, described?: BaselineInputs): Promise<BaselineInputs> {
  const { migrate, fixtures, fixtureSets, cwd, fingerprint } = config
  await checkFixtureSets({ cwd, sets: fixtureSets })
  return described ?? describeInputs(migrate, fixtures, cwd, fingerprint)
}

interface TemplateServer {
  readonly engine: Engine
  readonly facts: ServerFacts
  readonly adminUrl: string
}

/**
 * The name of the template with this baseline. `undefined` without a reliable hash of its inputs: the
 * template is then private to a run.
 */
export function nameTemplate(
  { engine, facts, adminUrl }: TemplateServer,
  names: Names,
  { parts, cacheable }: BaselineInputs,
): string | undefined {
  const role = new URL(adminUrl).username
  return cacheable ? names.template(hash([engine.name, facts.version, role, ...parts])) : undefined
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}
