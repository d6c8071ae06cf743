import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** As configured, or else by its folder. */
export async function projectOf({
  project,
  cwd,
}: {
  project?: string | undefined
  cwd: string
}): Promise<string> {
  return project ?? (await projectName(cwd))
}

/** The name in the nearest package.json, otherwise that of the folder. */
async function projectName(cwd: string): Promise<string> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const name = await nameIn(join(folder, 'package.json'))
    if (name !== undefined) return name
    if (folder === dirname(folder)) return basename(resolve(cwd))
  }
}

async function nameIn(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const content: unknown = JSON.parse(text)
    const name =
      typeof content === 'object' && content !== null && 'name' in content ? content.name : undefined
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined // invalid JSON: npm reports it
  }
}
