import type { FileBench } from '../engine/bench-dialect.ts'
import type { Engine } from '../engine/engine.ts'
import type { ImagePreset } from '../engine/engine-server.ts'
import { DEFAULT_ENGINE, fileEngineNamed, SERVERS } from '../engine/registry.ts'
import { AfreshError, withUndo } from '../errors.ts'
import { hostOf } from '../server/existing.ts'
import {
  container,
  embedded,
  parseServer,
  type RunningServer,
  type ServerSpec,
  startServer,
} from '../server/server.ts'
import { describeProgress } from '../util/progress.ts'
import { folderInMemory } from '../util/shared-memory.ts'
import { openBenchFiles } from './bench-files.ts'
import { type BenchServer, openBenchServer } from './bench-server.ts'
import type { Storage } from './cases.ts'
import { type Room, roomOn } from './needs.ts'

/** What is measured: a server that can be started with different storage, a running server, or an engine without servers. */
export interface Target {
  /** As requested: `postgres:18`. */
  readonly id: string
  /** The kinds of storage that it supports. */
  readonly storages: readonly Storage[]
  /** How much room there is for rows. */
  room(storage: Storage): Room
  open(storage: Storage, onProgress: (line: string) => void): Promise<OpenTarget>
}

export interface OpenTarget {
  /** For display. */
  readonly title: string
  readonly benchServer: BenchServer
  /** Absent without a server. */
  readonly running?: RunningServer
  /** Stops what was started. */
  close(): Promise<void>
}

/**
 * @param server an image, `embedded`, `embedded:18`, `sqlite`, or the URL of a server
 * @param allow servers on other machines that exist for tests only, each as `host:port#system_identifier`
 * @param set settings of a server that is started for this, by its names for them: `shared_buffers`, `4GB`
 * @throws AfreshError `usage` for anything else
 */
export function targetOf(
  server: string,
  allow: readonly string[],
  set: Readonly<Record<string, string>> = {},
): Target {
  const files = fileEngineNamed(server)
  const names = Object.keys(set)
  const version = /^embedded:(.+)$/.exec(server)?.[1]
  const spec =
    files !== undefined ? undefined : version === undefined ? parseServer(server) : embedded({ version })
  if (names.length > 0 && (spec === undefined || spec.kind === 'existing')) {
    throw new AfreshError(
      'usage',
      `--set ${names.join(', ')} needs a server that is started for it, not ${spec === undefined ? server : 'one that runs'}.`,
      {
        next: 'Name an image or `embedded` with --engine, or change the setting on the server itself.',
      },
    )
  }
  if (files !== undefined) return fileTarget(files.engine, files.file)
  const id = [server, ...Object.entries(set).map(([name, value]) => `${name}=${value}`)].join(' ')
  if (spec === undefined) throw new Error(`${server} is neither a file nor a server`)
  return serverTarget(id, withSettings(spec, set), allow)
}

function withSettings(spec: ServerSpec, set: Readonly<Record<string, string>>): ServerSpec {
  if (spec.kind === 'existing') return spec
  if (spec.kind === 'embedded') return { ...spec, settings: { ...spec.settings, ...set } }
  const { settingArguments } = SERVERS[spec.engine].image
  const command = Object.entries(set).flatMap(([name, value]) => settingArguments(name, value))
  return { ...spec, command: [...spec.command, ...command] }
}

function fileTarget(engine: Engine, file: FileBench): Target {
  return {
    id: engine.name,
    storages: ['memory', 'disk', 'durable'],
    room: (storage) => roomOn(storage, 'process'),
    async open(storage) {
      const benchServer = await openBenchFiles(engine, file, storage)
      return { title: `${engine.title} ${benchServer.version}`, benchServer, close: benchServer.close }
    },
  }
}

function serverTarget(id: string, spec: ServerSpec, allow: readonly string[]): Target {
  return {
    // Includes the port, because one host may have several servers.
    id: spec.kind === 'existing' ? `${new URL(spec.url).protocol}//${hostOf(spec.url)}` : id,
    storages: STORAGES[spec.kind],
    room: (storage) =>
      spec.kind === 'existing'
        ? { place: 'the server', freeBytes: undefined, fileSystem: undefined }
        : roomOn(storage, spec.kind === 'embedded' ? 'process' : 'container'),
    async open(storage, onProgress) {
      const server = await startServer(withStorage(spec, storage), {
        progress: (event) => onProgress(describeProgress(event)),
      })
      return withUndo(
        async () => {
          const { startedByAfresh } = server
          const benchServer = await openBenchServer(server.url, { startedByAfresh, allow })
          const close = async () => {
            // A server that ends with the run takes its databases with it.
            if (!server.endsWithRun) await benchServer.close()
            await server.stop()
          }
          return {
            title: `${benchServer.engine.title} ${shortVersion(benchServer.version)}${withoutProductAndVersion(server.title)}`,
            benchServer,
            running: server,
            close,
          }
        },
        () => server.stop(),
      )
    },
  }
}

/** `memory` means a folder in memory for the embedded server, if there is one. */
const STORAGES: Readonly<Record<ServerSpec['kind'], readonly Storage[]>> = {
  container: ['memory', 'disk', 'durable'],
  embedded: ['memory', 'disk', 'durable'],
  existing: ['memory'],
}

function withStorage(spec: ServerSpec, storage: Storage): ServerSpec {
  if (spec.kind === 'existing') return spec
  if (spec.kind === 'embedded') {
    if (storage === 'memory') return folderInMemory() === undefined ? spec : { ...spec, data: 'memory' }
    const settings = {
      ...spec.settings,
      ...(storage === 'durable' ? SERVERS[DEFAULT_ENGINE].durableSettings : {}),
    }
    return { ...spec, data: 'disk', settings }
  }
  const image: ImagePreset = SERVERS[spec.engine].image
  const command = [
    ...(image.lockCommand ?? []),
    ...(storage === 'durable' ? image.durableCommand : []),
    // Last, so that they override.
    ...spec.command,
  ]
  return container(spec.image, { ...spec, data: storage === 'memory' ? 'memory' : 'disk', command })
}

function shortVersion(version: string): string {
  return /^\d[\d.]*/.exec(version)?.[0] ?? version
}

/** The part after product and version, which the server itself reports more accurately. */
function withoutProductAndVersion(title: string): string {
  return title.replace(/^\S+( \d[\d.]*)?/, '')
}
