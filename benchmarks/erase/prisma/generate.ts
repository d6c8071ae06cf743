import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { PACKAGES_FOLDER } from '../../packages.ts'

/** The output path of the client in schema.prisma. */
export const CLIENT = join(PACKAGES_FOLDER, 'node_modules/.prisma-erase/client.ts')

/** Takes well under a second, so it runs each time. */
export function generatePrisma(): void {
  const prisma = join(PACKAGES_FOLDER, 'node_modules/prisma/build/index.js')
  const schema = join(import.meta.dirname, 'schema.prisma')
  const { status, stderr } = spawnSync(process.execPath, [prisma, 'generate', '--schema', schema], {
    cwd: PACKAGES_FOLDER,
    encoding: 'utf8',
    // Generating the client needs no engine, but prisma looks for one.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  })
  if (status !== 0) throw new Error(`prisma generate failed: ${stderr}`)
}
