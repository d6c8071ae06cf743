import { createHash } from 'node:crypto'
import { describeInputs } from '../baseline/load.ts'
import type { Config } from '../config/options.ts'
import type { Names } from '../database/names.ts'
import type { ServerFacts } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'

interface TemplateServer {
  readonly engine: Engine
  readonly facts: ServerFacts
  readonly adminUrl: string
}

/**
 * The name of the template that a configuration describes. `undefined` without a reliable hash of its inputs: the
 * template is then private to a run.
 */
export async function nameTemplate(
  { engine, facts, adminUrl }: TemplateServer,
  names: Names,
  { migrate, fixtures, cwd, fingerprint }: Config,
): Promise<string | undefined> {
  const { parts, cacheable } = await describeInputs(migrate, fixtures, cwd, fingerprint)
  const role = new URL(adminUrl).username
  return cacheable ? names.template(hash([engine.name, facts.version, role, ...parts])) : undefined
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}
