import { readFileSync } from 'node:fs'
import { codeOf } from '../errors.ts'

/** Distinguishes a running process from a later one with its id; `undefined` if the process has exited. */
export function identityOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return String(pid)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The fields after the command in parentheses: first the state, 20th the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : `${pid}-${fields[19]}`
  } catch (error) {
    return codeOf(error) === 'EPERM' ? String(pid) : undefined
  }
}

export function isRunning(identity: string): boolean {
  return identityOf(Number.parseInt(identity, 10)) === identity
}
