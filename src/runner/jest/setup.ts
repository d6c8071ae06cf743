/// <reference path="./jest-globals.d.ts" />
import { afterEach, beforeAll, beforeEach, test } from '@jest/globals'
import { refusing } from './concurrency.ts'
import { isFailed, testName, testPath, worker } from './realm.ts'

/** Milliseconds. Long, so that a failing reset can report its cause before jest's timeout. */
const TIMEOUT_MS = 60_000

/** Global in the realm of the test file: a project may repeat the setup file of its preset. */
const KEY = Symbol.for('afresh.jest.ready')
const global = globalThis as { [KEY]?: Promise<void> }

function setUp(): Promise<void> {
  // jest 29 does not await CommonJS setup files: the URL is set at once, and a hook awaits the database.
  const ready = worker().enter(testPath(), process.env)
  ready.catch(() => {})
  beforeAll(() => ready, TIMEOUT_MS)
  beforeEach(() => worker().before(), TIMEOUT_MS)
  afterEach(() => worker().after({ test: testName(), file: testPath() }, isFailed()), TIMEOUT_MS)
  test.concurrent = refusing(test.concurrent)
  return ready
}

global[KEY] ??= setUp()
const isReady = global[KEY]

/** Resolves when the test file has its database. jest 30 awaits this export of a CommonJS setup file. */
export default function ready(): Promise<void> {
  return isReady
}
