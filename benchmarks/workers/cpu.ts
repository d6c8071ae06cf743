import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getContainerRuntimeClient } from 'testcontainers'
import { connect } from '../client.ts'
import type { BenchServer } from '../servers.ts'

/** The processor time that a server has used so far, in milliseconds. */
export type CpuMeter = () => Promise<number>

/** Of a container by its control group, of embedded PostgreSQL by its processes: Linux only. */
export async function serverCpu({ running }: BenchServer): Promise<CpuMeter> {
  return running.containerId === undefined ? cpuOfProcesses(running.url) : cpuOfContainer(running.containerId)
}

async function cpuOfContainer(id: string): Promise<CpuMeter> {
  const runtime = await getContainerRuntimeClient()
  const container = runtime.container.getById(id)
  return async () => {
    const stats = await container.stats({ stream: false, 'one-shot': true })
    return stats.cpu_stats.cpu_usage.total_usage / 1e6
  }
}

async function cpuOfProcesses(url: string): Promise<CpuMeter> {
  const client = await connect(url)
  const [row] = await client.run('SHOW data_directory')
  await client.close()
  const [pid] = readFileSync(join(String(row?.data_directory), 'postmaster.pid'), 'utf8').split('\n')
  return async () => {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return all.filter((id) => id === pid || parentOf(id) === pid).reduce((sum, id) => sum + cpuOf(id), 0)
  }
}

/** proc(5): the fourth field, behind the name in parentheses, which may hold anything. */
function parentOf(pid: string): string | undefined {
  return orGone(
    () =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1],
  )
}

/** Nanoseconds on a processor: finer than the ticks of /proc/<pid>/stat. PostgreSQL's processes have one thread. */
function cpuOf(pid: string): number {
  return orGone(() => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6) ?? 0
}

function orGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined // it ended in between
  }
}
