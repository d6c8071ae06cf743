import type { BenchServer } from './bench-server.ts'
import type { Room } from './needs.ts'

/** Everything on a server that moves a time, by name: where its files are, and its settings. */
export function settingsIn(benchServer: BenchServer, { place, fileSystem }: Room): Record<string, string> {
  const where = place === 'the server' ? 'of a server that afresh did not start' : `in ${place}`
  const files = place === 'disk' ? 'on a disk' : where
  return {
    files: fileSystem === undefined ? files : `${files} (${fileSystem})`,
    ...benchServer.settings,
  }
}

/** In one line: `files in memory (tmpfs), fsync off, shared_buffers 128MB`. */
export function conditionsText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
