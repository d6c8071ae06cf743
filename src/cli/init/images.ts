import { engineWith, type ServerEngine } from '../../engine/registry.ts'
import { filesOf, type ProjectInfo } from './project-info.ts'

/** A database server image that a compose file names. */
export interface Image {
  readonly engine: ServerEngine
  /** The name to start it with: `postgres:17`, `postgis/postgis:16-3.4`. */
  readonly name: string
  readonly file: string
}

const IMAGE_LINE = /^\s*(?:-\s*)?image:\s*["']?([^\s"'#]+)/gm
const NAME_AND_TAG = /^([\w./-]*?([\w-]+))(?::([\w.-]+))?$/

/** Not based on the official image and started differently: the official image replaces them. */
const NOT_OFFICIAL = /(?:^|\/)(?:bitnami|bitnamilegacy|mysql|cimg|circleci)\//

export function imagesIn(project: ProjectInfo): Image[] {
  return filesOf(project, 'compose').flatMap((file) =>
    [...(project.files.get(file) ?? '').matchAll(IMAGE_LINE)].flatMap(([, written = '']) => {
      const image = imageOf(written)
      return image === undefined ? [] : [{ ...image, file }]
    }),
  )
}

function imageOf(written: string): Omit<Image, 'file'> | undefined {
  const [, path = '', last = '', tag] = NAME_AND_TAG.exec(withDefaults(written)) ?? []
  const engine = engineWith(last, ({ image }) => [image.name, ...image.otherNames])
  if (engine === undefined) return undefined
  if (!NOT_OFFICIAL.test(path)) return { engine, name: tag === undefined ? path : `${path}:${tag}` }
  const version = /^\d+(?:\.\d+)?/.exec(tag ?? '')?.[0]
  return { engine, name: version === undefined ? engine : `${engine}:${version}` }
}

/** `postgres:${VERSION:-17}` becomes `postgres:17`. Removes variables without default, and their colon. */
function withDefaults(text: string): string {
  return text.replaceAll(/\$\{\w+:?-([^}]*)\}/g, '$1').replaceAll(/:?\$(?:\{[^}]*\}|\w+)/g, '')
}
