import { sep } from 'node:path'
import { AfreshError } from '../../errors.ts'
import type { RunHandle } from '../core/run-handle.ts'

/** What the global setup passes to the workers, as plain JSON. */
export interface Provided {
  /** The harnesses, by the folder whose tests use them. */
  readonly handles: Readonly<Record<string, RunHandle>>
  /** By the same folders: the URLs of the slots that belong to workers, from slot 1 on. */
  readonly urls: Readonly<Record<string, readonly string[]>>
}

/** Environment variables, because workers are forked later and inherit them. */
const NAME = 'AFRESH_JEST_'
/** Characters. Linux allows 128 KiB per variable, Windows 32,767 characters. A handle lists every table. */
const LONGEST = 30_000

export function provide(provided: Provided): void {
  withdraw()
  const text = JSON.stringify(provided)
  for (let i = 0; i * LONGEST < text.length; i++) {
    process.env[`${NAME}${i}`] = text.slice(i * LONGEST, (i + 1) * LONGEST)
  }
}

export function withdraw(): void {
  for (let i = 0; process.env[`${NAME}${i}`] !== undefined; i++) delete process.env[`${NAME}${i}`]
}

export interface Host {
  readonly handle: RunHandle
  /** This worker's own slot: no two workers of a run have the same number. */
  readonly slot: number
  /** The URL of the database in that slot. */
  readonly url: string
  /** The first slot that does not belong to a worker. */
  readonly spare: number
}

/**
 * What the worker that runs this test file needs.
 *
 * @throws AfreshError `usage` if the global setup is missing
 */
export function hostOf(testPath: string): Host {
  let text = ''
  for (let i = 0; process.env[`${NAME}${i}`] !== undefined; i++) text += process.env[`${NAME}${i}`]
  if (text === '') throw notSetUp()
  const { handles, urls }: Provided = JSON.parse(text)
  // The innermost folder; for tests outside all folders, that of the first project.
  const [folder = Object.keys(handles)[0] ?? ''] = Object.keys(handles)
    .filter((folder) => testPath.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`))
    .sort((a, b) => b.length - a.length)
  const handle = handles[folder]
  const slot = Number(process.env.JEST_WORKER_ID) || 1
  const url = urls[folder]?.[slot - 1]
  if (handle === undefined || url === undefined) throw notSetUp()
  return { handle, slot, url, spare: (urls[folder]?.length ?? 0) + 1 }
}

function notSetUp(): AfreshError {
  return new AfreshError('usage', "afresh's global setup did not run, so there is no server.", {
    next: "Add globalSetup: 'afresh/jest/global-setup' and globalTeardown: 'afresh/jest/global-teardown' to the jest configuration.",
  })
}
