import { engineWith, type ServerEngine } from '../../engine/registry.ts'
import { filesOf, type ProjectInfo } from './project-info.ts'

/** An image of a database server that a compose file names. */
export interface Image {
  readonly engine: ServerEngine
  /** As afresh is to start it: `postgres:17`, `postgis/postgis:16-3.4`. */
  readonly name: string
  readonly file: string
}

const IMAGE_LINE = /^\s*(?:-\s*)?image:\s*["']?([^\s"'#]+)/gm
const NAME_AND_TAG = /^([\w./-]*?([\w-]+))(?::([\w.-]+))?$/

/** Made by others, not built upon the official image, so started in another way: the official one stands in. */
const NOT_OFFICIAL = /(?:^|\/)(?:bitnami|bitnamilegacy|mysql|cimg|circleci)\//

export function imagesIn(facts: ProjectInfo): Image[] {
  return filesOf(facts, 'compose').flatMap((file) =>
    [...(facts.files.get(file) ?? '').matchAll(IMAGE_LINE)].flatMap(([, written = '']) => {
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

/** `postgres:${VERSION:-17}` is `postgres:17`; a variable without a default takes its colon with it. */
function withDefaults(text: string): string {
  return text.replaceAll(/\$\{\w+:?-([^}]*)\}/g, '$1').replaceAll(/:?\$(?:\{[^}]*\}|\w+)/g, '')
}
