import { AfreshError, withCleanUp } from '../../errors.ts'
import { findConfig } from '../../runner/core/load-config.ts'
import { isLocal, LOOPBACK, parseListenAddress } from '../../runner/serve/listen-address.ts'
import { type ServeOptions, serveDatabases } from '../../runner/serve/serve-databases.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { interruption } from '../interruption.ts'
import { collect, wholeNumber, withConfig } from '../options.ts'
import type { Output } from '../output.ts'
import { openApiDocument } from '../package-root.ts'

interface ServeFlags {
  readonly listen?: string
  readonly allowHost?: readonly string[]
  readonly workers?: number
  readonly config?: string
}

const SHORTEST_TOKEN = 16

export const serveCommand = defineCommand<ServeFlags>({
  notes: `
Starts what afresh.config.* says, and a service over HTTP: programs in any language lease databases, have them reset and
give them back. Prints AFRESH_SERVER and AFRESH_TOKEN, which every request needs, and works until Ctrl-C; then the
databases are dropped. The token is that of the variable AFRESH_TOKEN, if it is set, and is not printed then.
docs/openapi.json describes the requests. Only processes of this machine can connect, unless --listen says otherwise.

  afresh serve
  afresh serve --listen 8080 --workers 4
  afresh serve --listen /run/afresh.sock
  AFRESH_TOKEN="$SECRET" afresh serve --listen 0.0.0.0:8080 --allow-host ci-host`,
  options: (command) =>
    withConfig(command)
      .option(
        '--listen <address>',
        'a port, ADDRESS:PORT or the path of a Unix socket (default: a free port)',
      )
      .option('--allow-host <names>', 'names by which others call this machine, separated by commas', collect)
      .option(
        '--workers <n>',
        'how many databases to make before the first request (default: 1)',
        wholeNumber(1),
      ),

  async run({ listen, allowHost = [], workers = 1, config }, output) {
    const options: ServeOptions = {
      listen: listen === undefined ? LOOPBACK : parseListenAddress(listen),
      allowedHosts: allowHost.map((name) => name.toLowerCase()),
      count: workers,
      token: givenToken(),
      describe: openApiDocument,
    }
    const { options: given, inputs } = await findConfig([config ?? process.cwd()])
    const served = await output.during((progress) =>
      serveDatabases({ options: { ...given, progress: given.progress ?? progress }, inputs }, options),
    )
    return withCleanUp(async () => {
      const interrupted = interruption()
      const { harness, server, token } = served
      output.document({ server, ...(options.token === undefined && { token }), database: harness.title })
      output.line(`AFRESH_SERVER=${server}`)
      if (options.token === undefined) output.line(`AFRESH_TOKEN=${token}`)
      announce(served.harness, options, output)
      await interrupted
      if (given.progress !== false) for (const line of served.summary()) output.progress(line)
      return EXIT.done
    }, served.close)
  },
})

function announce(
  { title, warnings }: { readonly title: string; readonly warnings: readonly string[] },
  { listen }: ServeOptions,
  output: Output,
): void {
  for (const warning of warnings) output.progress(warning)
  if (!isLocal(listen)) output.progress('others can connect, and what they send and get is not encrypted')
  output.progress(`${title}: databases are leased until Ctrl-C, and then dropped`)
}

/** Never an option: every user of the machine can read the arguments of a process. */
function givenToken(): string | undefined {
  const { AFRESH_TOKEN: token } = process.env
  if (token === undefined || token === '') return undefined
  if (token.length >= SHORTEST_TOKEN && /^[\x21-\x7e]+$/.test(token)) return token
  throw new AfreshError(
    'usage',
    'AFRESH_TOKEN is too easy to guess, or has characters that no header takes.',
    {
      next: `Set it to at least ${SHORTEST_TOKEN} letters, digits and signs; or leave it out, and one is made.`,
    },
  )
}
