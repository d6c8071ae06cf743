/// <reference path="./jest-globals.d.ts" />
import { afterEach, beforeAll, beforeEach, test } from '@jest/globals'
import { refusing } from './concurrency.ts'
import { testName, testPath, worker } from './realm.ts'

/** Milliseconds: a reset that fails is to say why, and not be cut short by jest. */
const TIMEOUT_MS = 60_000

/** Global in the test file's realm: a project may repeat the setup file of its preset. */
const KEY = Symbol.for('afresh.jest.ready')
const global = globalThis as { [KEY]?: Promise<void> }

function setUp(): Promise<void> {
  const { variables, ready } = worker().enter(testPath())
  // jest 29 does not wait for CommonJS setup files: the URL is there at once, the database before the first hook.
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  ready.catch(() => {})
  beforeAll(() => ready, TIMEOUT_MS)
  beforeEach(() => worker().before(testPath(), process.env), TIMEOUT_MS)
  afterEach(() => worker().after(testPath(), testName(), process.env), TIMEOUT_MS)
  test.concurrent = refusing(test.concurrent)
  return ready
}

global[KEY] ??= setUp()
const isReady = global[KEY]

/** Fulfilled when the test file has its database. jest 30 waits for the function that a CommonJS setup file exports. */
export default function ready(): Promise<void> {
  return isReady
}
