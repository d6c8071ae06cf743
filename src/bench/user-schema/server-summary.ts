import { conditionsText } from '../conditions.ts'
import type { BenchResults, ServerResults } from '../results.ts'
import { otherConditions } from '../resume.ts'
import type { Clone } from './clone.ts'

/**
 * The server and the database as results name them.
 *
 * @throws AfreshError `usage` if the earlier results are from another server or database
 */
export async function serverOf(
  { engine, connection, source, version }: Clone,
  previous: BenchResults | undefined,
): Promise<ServerResults> {
  const { endpoint } = connection
  const isNamed = endpoint !== undefined && !endpoint.host.startsWith('/')
  const settings = (await engine.bench.settings?.(connection)) ?? { version }
  const server = {
    id: isNamed ? `${endpoint.host}:${endpoint.port}` : engine.title,
    title: `${engine.title} ${/^\d[\d.]*/.exec(version)?.[0] ?? version}, ${source}`,
    engine: engine.title,
    version,
    conditions: { 'as it is': conditionsText(settings) },
    settings: { 'as it is': settings },
    // An earlier run on the same server measured them.
    locks: { ...previous?.servers[0]?.locks },
  }
  const [earlier] = previous?.servers ?? []
  if (earlier === undefined || (earlier.id === server.id && earlier.title === server.title)) return server
  throw otherConditions('The folder', [
    `${earlier.title} at ${earlier.id} rather than ${server.title} at ${server.id}`,
  ])
}
