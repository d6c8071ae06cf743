import { createInterface } from 'node:readline/promises'

/** Whether a user can answer questions. They go to stderr, because stdout is for the result. */
export function someoneIsThere(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

/** `undefined` if the user ends the input or interrupts it. */
export async function ask(question: string): Promise<string | undefined> {
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  const abort = new AbortController()
  reader.once('SIGINT', () => abort.abort()).once('close', () => abort.abort())
  try {
    return (await reader.question(question, { signal: abort.signal })).trim()
  } catch {
    process.stderr.write('\n')
    return undefined
  } finally {
    reader.close()
  }
}
