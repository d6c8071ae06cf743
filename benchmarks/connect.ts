import Database from 'better-sqlite3'
import { type Connected, connect as connectToServer } from './client.ts'

const SQLITE = 'sqlite:'

export function sqliteUrl(file: string): string {
  return `${SQLITE}${file}`
}

/** A connection through the driver alone, with durability off. */
export async function connect(url: string): Promise<Connected> {
  return url.startsWith(SQLITE) ? sqlite(url.slice(SQLITE.length)) : connectToServer(url)
}

function sqlite(file: string): Connected {
  const handle = new Database(file)
  handle.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON')
  return {
    handle,
    async run(sql) {
      if (/^\s*SELECT/i.test(sql)) return handle.prepare<unknown[], Record<string, unknown>>(sql).all()
      handle.exec(sql)
      return []
    },
    async close() {
      handle.close()
    },
  }
}

export function sqliteVersion(): string {
  const handle = new Database(':memory:')
  try {
    return String(handle.prepare('SELECT sqlite_version()').pluck().get())
  } finally {
    handle.close()
  }
}
