import { describe, expect, it } from 'vitest'
import { CleanupStack, withUndoStack } from '../../src/util/cleanup-stack.ts'

function recorder() {
  const done: string[] = []
  const cleanup = (name: string) => async () => {
    done.push(name)
  }
  const failing = (name: string) => async () => {
    done.push(name)
    throw new Error(`${name} failed`)
  }
  return { done, cleanup, failing }
}

describe('a cleanup stack', () => {
  it('runs what was added, the last one first, each once', async () => {
    const { done, cleanup } = recorder()
    const stack = new CleanupStack()
    stack.add(cleanup('a'))
    const closeB = stack.add(cleanup('b'))
    stack.add(cleanup('c'))
    await closeB()
    await closeB()
    await stack.run()
    await stack.run()
    expect(done).toEqual(['b', 'c', 'a'])
  })

  it('runs the others when one fails, and throws the first failure with the later ones in it', async () => {
    const { done, cleanup, failing } = recorder()
    const stack = new CleanupStack()
    stack.add(failing('a'))
    stack.add(cleanup('b'))
    stack.add(failing('c'))
    await expect(stack.run()).rejects.toThrow('c failed (and cleaning up failed: a failed)')
    expect(done).toEqual(['c', 'b', 'a'])
  })
})

describe('work with an undo stack', () => {
  it('undoes nothing if it succeeds', async () => {
    const { done, cleanup } = recorder()
    const result = await withUndoStack(async (undo) => {
      undo.add(cleanup('a'))
      return 1
    })
    expect({ result, done }).toEqual({ result: 1, done: [] })
  })

  it('undoes all if it fails, and throws its error as it is', async () => {
    const { done, cleanup } = recorder()
    const error = new Error('no')
    const failed = withUndoStack(async (undo) => {
      undo.add(cleanup('a'))
      undo.add(cleanup('b'))
      throw error
    })
    await expect(failed).rejects.toBe(error)
    expect(done).toEqual(['b', 'a'])
  })

  it('throws an error that contains the failures of cleanups', async () => {
    const { failing } = recorder()
    const failed = withUndoStack(async (undo) => {
      undo.add(failing('a'))
      undo.add(failing('b'))
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow(
      'no (and cleaning up failed: b failed) (and cleaning up failed: a failed)',
    )
  })
})
