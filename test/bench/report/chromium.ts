import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Nothing that would go to the network by itself. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((file) => existsSync(file))

/** A block of tests in a browser; skipped by name, with the reason, where there is none (see `support/at-hand.ts`). */
export function describeInChromium(name: string, body: (browser: () => Browser) => void): void {
  let browser: Browser | undefined
  const given = () => {
    if (browser === undefined) throw new Error('not started')
    return browser
  }
  if (program === undefined) {
    const reason = `none of ${NAMES.join(', ')} on the PATH`
    if (process.env.AFRESH_REQUIRE === 'all') {
      it(name, () => {
        throw new Error(`AFRESH_REQUIRE=all, but chromium is not at hand: ${reason}`)
      })
    } else describe.skip(`NOT RUN: chromium (${reason}): ${name}`, () => body(given))
    return
  }
  describe(name, () => {
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: program, args: FLAGS })
    })
    afterAll(() => browser?.close())
    body(given)
  })
}
