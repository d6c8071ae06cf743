import { PrismaPg } from '@prisma/adapter-pg'
import type { OpenEraser } from '../method.ts'
import { CLIENT } from '../prisma/generate.ts'
import { TENANT } from '../tree.ts'
import { chunked } from './chunked.ts'

/** Prisma allows at most 32,767 values in a statement for PostgreSQL (error P2029). */
const AT_ONCE = 30_000
const HOUR_MS = 3_600_000

/** The part of the generated client that is used. The client exists only after it was generated. */
interface Model {
  findMany(query: { where: object; select: { id: true } }): Promise<{ id: number }[]>
  deleteMany(query: { where: object }): Promise<{ count: number }>
}

type Models = Readonly<Record<string, Model>>

interface Client {
  $transaction(work: (models: Models) => Promise<void>, options: { timeout: number }): Promise<void>
  $disconnect(): Promise<void>
}

export const open: OpenEraser = async ({ url, depth }) => {
  const { PrismaClient } = (await import(CLIENT)) as {
    PrismaClient: new (options: { adapter: PrismaPg }) => Client
  }
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  return {
    erase: () => prisma.$transaction((models) => eraseTree(models, depth), { timeout: HOUR_MS }),
    close: () => prisma.$disconnect(),
  }
}

async function eraseTree(models: Models, depth: number): Promise<void> {
  const model = (level: number): Model => {
    const found = models[`l${level}`]
    if (found === undefined) throw new Error(`there is no model of level ${level}`)
    return found
  }
  const levels: number[][] = []
  for (let level = 1; level < depth; level++) {
    const above = levels.at(-1)
    const ids: number[] = []
    const conditions = above === undefined ? [{ tenant: TENANT }] : chunked(above, AT_ONCE).map(childrenOf)
    for (const where of conditions) {
      for (const { id } of await model(level).findMany({ where, select: { id: true } })) ids.push(id)
    }
    levels.push(ids)
  }
  for (let level = depth; level > 1; level--) {
    for (const ids of chunked(levels[level - 2] ?? [], AT_ONCE)) {
      await model(level).deleteMany({ where: childrenOf(ids) })
    }
  }
  await model(1).deleteMany({ where: { tenant: TENANT } })
}

function childrenOf(ids: readonly number[]) {
  return { parent: { in: ids } }
}
