/** In: the databases of a run. Out: the variables with which a command, and each of its workers, finds its own. */
import { variablesOf } from '../../engine/clients.ts'
import { type Variables, withVariables } from '../../engine/environment.ts'
import type { ServedDatabases } from '../serve/serve-databases.ts'

/** All variables of a command. Those of a run around this one are replaced, or they would name its databases. */
export function commandEnvironment(
  { harness, urls, server, token }: Pick<ServedDatabases, 'harness' | 'urls' | 'server' | 'token'>,
  environment: Variables = process.env,
): Record<string, string | undefined> {
  const [first = ''] = urls
  const outer = Object.keys(environment).filter((name) => /^AFRESH_URL_\d+$/.test(name))
  return withVariables(environment, {
    ...Object.fromEntries(outer.map((name) => [name, undefined])),
    ...variablesOf(first, 'tests', harness.handle.tests.env),
    AFRESH_SERVER: server,
    AFRESH_TOKEN: token,
    AFRESH_WORKERS: String(urls.length),
    ...Object.fromEntries(urls.map((url, index) => [`AFRESH_URL_${index + 1}`, url])),
  })
}
