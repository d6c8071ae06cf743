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

/** Copies results into objects of this realm: `toStrictEqual` distinguishes those of another realm. */
export function inThisRealm(database: () => WorkerDatabase): WorkerDatabase {
  return workerDatabase(database, copyOf)
}

function copyOf<T>(report: T): T {
  const withBigInts = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  return JSON.parse(JSON.stringify(report, withBigInts))
}
