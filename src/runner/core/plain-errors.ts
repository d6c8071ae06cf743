import { AfreshError } from '../../errors.ts'

/**
 * Runs what a runner calls. An `AfreshError` reaches it without the frames of packages and of Node, which
 * say nothing to the reader of a test report; frames of the user's own files stay.
 */
export async function withPlainErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isOurs(error)) removeFrames(error)
    throw error
  }
}

function isOurs(error: unknown): error is Error {
  return error instanceof AfreshError || (error instanceof AggregateError && error.errors.some(isOurs))
}

/** Also those of the causes. A cause that adds neither a frame nor words is dropped. */
function removeFrames(error: Error): void {
  const frames = framesOf(error)
  const { name, message, cause } = error
  error.stack = [`${name}: ${message}`, ...frames].join('\n')
  if (error instanceof AggregateError) {
    for (const inner of error.errors) if (inner instanceof Error) removeFrames(inner)
  }
  if (!(cause instanceof Error)) return
  removeFrames(cause)
  if (framesOf(cause).length === 0 && message.includes(cause.message)) delete error.cause
}

function framesOf({ stack = '' }: Error): string[] {
  const lines = stack.split('\n').filter((line) => /^\s+at /.test(line))
  return lines.filter((line) => !/[\\/]node_modules[\\/]|\(?node:|\(native\)|<anonymous>/.test(line))
}
