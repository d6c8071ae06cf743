/// <reference path="./jest-globals.d.ts" />
import { runInThisContext } from 'node:vm'
import { expect } from '@jest/globals'
import { type WorkerDatabase, workerDatabase } from '../core/worker-database.ts'
import type * as Worker from './worker.ts'

let loaded: typeof Worker | undefined

/**
 * The worker program in the worker's own realm. jest gives test files its own `process`, `require` and
 * `node:module`; `runInThisContext` evaluates code outside of their realm.
 */
export function worker(): typeof Worker {
  loaded ??= load()
  return loaded
}

function load(): typeof Worker {
  const outside: NodeJS.Process = runInThisContext('process')
  const { createRequire } = outside.getBuiltinModule('node:module')
  return createRequire(import.meta.url)('./worker.cjs')
}

export function testPath(): string {
  return expect.getState().testPath ?? ''
}

/** Includes the names of the suites. With concurrent tests, it is the test that started last. */
export function testName(): string {
  return expect.getState().currentTestName ?? ''
}

/** Where jest-circus keeps its state in the realm of a test file: a symbol of this description, in 29 and 30. */
const CIRCUS_STATE = 'JEST_STATE_SYMBOL'

/** Whether the test that runs has failed already. Always `false` with another test runner than jest-circus. */
export function isFailed(): boolean {
  const key = Object.getOwnPropertySymbols(globalThis).find(({ description }) => description === CIRCUS_STATE)
  if (key === undefined) return false
  const state: unknown = Reflect.get(globalThis, key)
  const test = (state as { currentlyRunningTest?: { errors?: unknown[]; failing?: boolean } | null })
    .currentlyRunningTest
  return test?.failing !== true && (test?.errors?.length ?? 0) > 0
}

/** Copies results into objects of this realm: `toStrictEqual` distinguishes those of another realm. */
export function inThisRealm(database: () => WorkerDatabase): WorkerDatabase {
  return workerDatabase(database, copyOf)
}

function copyOf<T>(report: T): T {
  if (report === undefined) return report
  const withBigInts = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  return JSON.parse(JSON.stringify(report, withBigInts))
}
