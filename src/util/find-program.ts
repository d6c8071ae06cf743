import { delimiter, join } from 'node:path'
import { isExecutable } from './is-executable.ts'

/** The path of a program in the folders of PATH. */
export function inPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  return folders
    .flatMap((folder) => endings.map((ending) => join(folder, `${name}${ending}`)))
    .find((path) => isExecutable(path))
}
