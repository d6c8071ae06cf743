import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getContainerRuntimeClient } from 'testcontainers'
import { connect } from '../client.ts'
import type { BenchServer } from '../servers.ts'

/** The processor time that a server has used so far, in milliseconds. */
export type CpuMeter = () => number

/**
 * Reads the processes of the server, in a container or not. Needs Linux, with the container engine on this
 * machine. Asking the engine instead would take a second each time.
 */
export async function serverCpu({ running }: BenchServer): Promise<CpuMeter> {
  const root = await (running.containerId === undefined
    ? postmaster(running.url)
    : firstOfContainer(running.containerId))
  const meter = () => family(root).reduce((sum, pid) => sum + cpuOf(pid), 0)
  if (meter() === 0) throw new Error(`the processes of ${running.title} are not to be seen in /proc`)
  return meter
}

async function firstOfContainer(id: string): Promise<string> {
  const runtime = await getContainerRuntimeClient()
  return String((await runtime.container.getById(id).inspect()).State.Pid)
}

async function postmaster(url: string): Promise<string> {
  const client = await connect(url)
  const [row] = await client.run('SHOW data_directory')
  await client.close()
  return readFileSync(join(String(row?.data_directory), 'postmaster.pid'), 'utf8').split('\n')[0] ?? ''
}

/** A process and its current children. */
function family(root: string): string[] {
  return [root, ...readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === root)]
}

/** The fourth field in proc(5), after the name in parentheses, which may contain any characters. */
function parentOf(pid: string): string | undefined {
  return orGone(
    () =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1],
  )
}

/** Nanoseconds on a processor of all threads: more precise than the ticks of /proc/<pid>/stat. */
function cpuOf(pid: string): number {
  const threads = orGone(() => readdirSync(`/proc/${pid}/task`)) ?? []
  return threads.reduce((sum, thread) => {
    const text = orGone(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
    return sum + Number(text?.split(' ')[0] ?? 0) / 1e6
  }, 0)
}

function orGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined // it ended meanwhile
  }
}
