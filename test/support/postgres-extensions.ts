import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'

/** Debian packages for PostgreSQL 18. The image already has the contrib extensions. */
const PACKAGES = ['pgvector', 'postgis-3', 'cron', 'partman', 'timescaledb'].map(
  (name) => `postgresql-18-${name}`,
)

const DOCKERFILE = `FROM postgres:18
RUN apt-get update -qq \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${PACKAGES.join(' ')} \\
 && rm -rf /var/lib/apt/lists/*
`

/**
 * The image `postgres:18` with extensions that applications use, built once and kept by the container engine.
 */
export async function extensionImage(): Promise<string> {
  const digest = createHash('sha256').update(DOCKERFILE).digest('hex').slice(0, 12)
  const image = `afresh-test-postgres-extensions:${digest}`
  const docker = promisify(execFile)
  const isThere = await docker('docker', ['image', 'inspect', image]).then(
    () => true,
    () => false,
  )
  if (isThere) return image
  const building = docker('docker', ['build', '--quiet', '--network', 'host', '--tag', image, '-'])
  building.child.stdin?.end(DOCKERFILE)
  await building
  return image
}
