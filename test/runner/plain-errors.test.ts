import { expect, it } from 'vitest'
import { AfreshError } from '../../src/errors.ts'
import { withPlainErrors } from '../../src/runner/core/plain-errors.ts'

/** An error whose stack has these frames. */
function withFrames<T extends Error>(error: T, frames: readonly string[]): T {
  error.stack = [`${error.name}: ${error.message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n')
  return error
}

const PACKAGES = [
  'run (/shop/node_modules/afresh/dist/harness-1.js:1:1)',
  'async C:\\shop\\node_modules\\pg\\lib\\client.js:9:9',
  'process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
]
const OWN = 'migrate (/shop/afresh.config.ts:3:9)'

const thrownBy = async (error: unknown): Promise<unknown> => {
  try {
    return await withPlainErrors(() => Promise.reject(error))
  } catch (thrown) {
    return thrown
  }
}

it('removes the frames of packages and of Node, and keeps those of the user', async () => {
  const error = withFrames(new AfreshError('baseline', 'It failed.', { next: 'Correct it.' }), [
    ...PACKAGES,
    OWN,
  ])
  expect(await thrownBy(error)).toBe(error)
  expect(error.stack).toBe(`AfreshError: It failed.\n  → Correct it.\n    at ${OWN}`)
})

it('keeps a cause that has frames of the user, or that adds words, and drops any other', async () => {
  const failed = (cause: Error) => new AfreshError('baseline', 'The function failed: no table.', { cause })
  const own = failed(withFrames(new Error('no table'), [OWN, ...PACKAGES]))
  await thrownBy(own)
  expect(own.cause).toMatchObject({ stack: `Error: no table\n    at ${OWN}` })
  const other = failed(withFrames(new Error('something else'), PACKAGES))
  await thrownBy(other)
  expect(other.cause).toMatchObject({ stack: 'Error: something else' })
  const repeated = failed(withFrames(new Error('no table'), PACKAGES))
  await thrownBy(repeated)
  expect(repeated.cause).toBeUndefined()
})

it('leaves the errors of others as they are', async () => {
  const error = withFrames(new TypeError('x is not a function'), PACKAGES)
  const { stack } = error
  await thrownBy(error)
  expect(error.stack).toBe(stack)
})
