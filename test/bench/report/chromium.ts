import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { CHROMIUM_NAMES, chromiumPath } from '../../support/chromium-path.ts'
import { leftOut, remedy } from '../../support/left-out.ts'

/** Chromium must not open network connections by itself. */
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

const program = chromiumPath()

/**
 * Declares tests that run in a browser. Where `support/left-out.ts` leaves Chromium out, they are skipped by
 * name.
 */
export function describeInChromium(name: string, body: (browser: () => Browser) => void): void {
  let browser: Browser | undefined
  const given = () => {
    if (browser === undefined) throw new Error('not started')
    return browser
  }
  const reason = leftOut('chromium')
  if (reason !== undefined) {
    describe.skip(`NOT RUN: ${name} (chromium ${reason})`, () => body(given))
    return
  }
  if (program === undefined) {
    it(name, () => {
      throw new Error(
        `chromium is missing: none of ${CHROMIUM_NAMES.join(', ')} on the PATH\n  → ${remedy('chromium')}`,
      )
    })
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
