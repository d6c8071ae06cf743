/** In: a URL. Out: the client program of its engine, run on that database until the person leaves it. */
import { spawn } from 'node:child_process'
import { variablesOf } from '../engine/clients.ts'
import type { Engine } from '../engine/engine.ts'
import { withVariables } from '../engine/environment.ts'
import { AfreshError } from '../errors.ts'
import { inPath } from '../util/find-program.ts'

/** An installed client program. */
export interface InstalledClient {
  readonly path: string
  argumentsFor(url: string): readonly string[]
}

/**
 * The client program of the engine, found in PATH.
 *
 * @throws AfreshError `usage` if none is installed, naming what to install
 */
export function findClient({
  title,
  clientProgram,
}: Pick<Engine, 'title' | 'clientProgram'>): InstalledClient {
  if (clientProgram === undefined) throw new Error(`${title} has no client program`)
  const { names, argumentsFor, install } = clientProgram
  const path = names.flatMap((name) => inPath(name) ?? [])[0]
  if (path !== undefined) return { path, argumentsFor }
  throw new AfreshError(
    'usage',
    `No client program of ${title} is installed: PATH has no ${names.join(' or ')}.`,
    {
      next: `Install one (${install}), or use any other client with the URL that --print-url prints.`,
    },
  )
}

/**
 * Runs the client on the terminal of this process until it ends. Its password is in its environment only.
 *
 * @returns its exit code; 128 and more: it was ended by a signal
 */
export async function runClient({ path, argumentsFor }: InstalledClient, url: string): Promise<number> {
  const env = withVariables(process.env, variablesOf(url, 'command'))
  const child = spawn(path, argumentsFor(url), { stdio: 'inherit', env })
  // The terminal sends Ctrl-C to both: it is the client's, to stop a query. The others end the client first.
  const ignore = () => {}
  const end = () => void child.kill('SIGTERM')
  process.on('SIGINT', ignore).on('SIGTERM', end).on('SIGHUP', end)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 0 : 128)))
    })
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', end).off('SIGHUP', end)
  }
}

/**
 * A line for a shell that opens the database in the client program of its engine, installed or not.
 *
 * @param options `showPassword`: otherwise the program asks for it
 */
export function commandLine(
  { title, clientProgram }: Pick<Engine, 'title' | 'clientProgram'>,
  url: string,
  { showPassword }: { readonly showPassword: boolean },
): string {
  if (clientProgram === undefined) throw new Error(`${title} has no client program`)
  return [clientProgram.names[0] ?? '', ...clientProgram.typedArguments(url, { showPassword })]
    .map(shellWord)
    .join(' ')
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
