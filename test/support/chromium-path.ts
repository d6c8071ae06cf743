import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Playwright would download a browser of its own: the tests use that of the system. */
export function chromiumPath(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => CHROMIUM_NAMES.map((name) => join(folder, name)))
    .find((file) => existsSync(file))
}
