import { closeSync, openSync } from 'node:fs'

/** Passes the answer to a process that has no terminal of its own. */
export const IN_TERMINAL = 'AFRESH_IN_TERMINAL'

/** Whether a person runs this process: it has a terminal, whatever its output is connected to, and is not CI. */
export function isInTerminal(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.CI !== undefined && env.CI !== '' && env.CI !== 'false' && env.CI !== '0') return false
  if (env[IN_TERMINAL] !== undefined) return env[IN_TERMINAL] === '1'
  return process.stderr.isTTY === true || process.stdout.isTTY === true || hasControllingTerminal()
}

/** The outputs of a test process of node:test are pipes. https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap10.html */
function hasControllingTerminal(): boolean {
  if (process.platform === 'win32') return false
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
