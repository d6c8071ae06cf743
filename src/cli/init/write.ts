import { lstat, mkdir, realpath, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import type { ProposedFile } from './proposed-file.ts'

/** Whether the path exists, even as a broken symbolic link. */
export async function isTaken(root: string, path: string): Promise<boolean> {
  try {
    await lstat(join(root, path))
    return true
  } catch (error) {
    // ENOTDIR: the write will report that a file is in place of a folder.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): AfreshError {
  return new AfreshError('usage', `${path} cannot be inspected: ${messageOf(cause)}`, { cause })
}

/**
 * Writes all files or none: if one fails, the previous ones are removed again. Overwrites nothing, and writes
 * through no symbolic link that leads out of the project.
 *
 * @throws AfreshError `usage`, naming what failed and what had been written
 */
export async function writeAll(root: string, files: readonly ProposedFile[]): Promise<void> {
  const made: Made[] = []
  for (const file of files) {
    try {
      await write(root, file, made)
    } catch (cause) {
      const written = made.filter(({ kind }) => kind === 'file').map(({ path }) => path)
      const left = await takeAway(root, made)
      throw new AfreshError(
        'usage',
        `${file.path} could not be written: ${messageOf(cause)}\n  ${fateOf(written, left)}`,
        {
          next: 'Make it writable, and run the command again; or copy the files from --dry-run.',
          cause,
        },
      )
    }
  }
}

interface Made {
  readonly kind: 'file' | 'folder'
  readonly path: string
}

async function write(root: string, { path, contents }: ProposedFile, made: Made[]): Promise<void> {
  const folder = dirname(join(root, path))
  const first = await mkdir(folder, { recursive: true })
  if (first !== undefined) made.push({ kind: 'folder', path: relative(root, first) })
  const home = await realpath(root)
  if (!`${await realpath(folder)}${sep}`.startsWith(home.endsWith(sep) ? home : `${home}${sep}`)) {
    throw new Error(`${dirname(path)} leads out of the project`)
  }
  // `wx` fails if the path exists, even as a symbolic link.
  await writeFile(join(root, path), contents, { flag: 'wx' })
  made.push({ kind: 'file', path })
}

/** Returns the paths that could not be removed. */
async function takeAway(root: string, made: readonly Made[]): Promise<string[]> {
  const left: string[] = []
  for (const { kind, path } of [...made].reverse()) {
    try {
      await (kind === 'file' ? rm(join(root, path)) : rmdir(join(root, path)))
    } catch {
      left.push(path)
    }
  }
  return left
}

function fateOf(written: readonly string[], left: readonly string[]): string {
  if (written.length === 0 && left.length === 0) return 'Nothing was written.'
  const undone = written.length === 0 ? '' : `Written before it, and removed again: ${written.join(', ')}.`
  return left.length === 0 ? undone : `${undone} Still there: ${left.join(', ')}.`.trim()
}
