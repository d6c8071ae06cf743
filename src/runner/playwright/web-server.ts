import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeOrder } from '../core/app/launch-order.ts'

/** Set while the configuration is loaded, in the runner and in each worker. */
const SHARED = 'AFRESH_PLAYWRIGHT_SHARED_APP'

/** The options of Playwright's `webServer` that afresh reads or sets. */
interface WebServerOptions {
  command: string
  env?: Record<string, string | undefined>
  reuseExistingServer?: boolean
}

/** @param programs `launcher.ts` and the harness process, as the bundler has named them */
export function wrapWebServer<T extends WebServerOptions>(
  options: T,
  programs: { readonly launcher: URL; readonly harness: URL },
): T {
  process.env[SHARED] = '1'
  const order = {
    command: options.command,
    owner: process.pid,
    run: { program: fileURLToPath(programs.harness), folders: [process.cwd()] },
  }
  return {
    ...options,
    command: `"${process.execPath}" "${fileURLToPath(programs.launcher)}"`,
    env: { ...options.env, ...encodeOrder(order) },
    // An application that runs already has some other database.
    reuseExistingServer: false,
  }
}

/** Whether the workers share an application, and so its database. */
export function isAppShared(): boolean {
  return process.env[SHARED] !== undefined
}

/** Where the configuration of afresh may be. @param configFile that of Playwright */
export function foldersOf({ configFile }: { readonly configFile?: string | undefined }): string[] {
  const folders = configFile === undefined ? [] : [resolve(dirname(configFile))]
  return [...new Set([process.cwd(), ...folders])]
}
