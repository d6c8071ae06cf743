import type { Method } from '../method.ts'
import { createFromTemplate, snapshot } from './clones.ts'
import { drizzleSeed } from './drizzle-seed.ts'
import { knexCleaner } from './knex-cleaner.ts'
import { mikroOrm } from './mikro-orm.ts'
import { pgsqlTest, pgTransactionalTests } from './rollbacks.ts'
import { sequelize } from './sequelize.ts'
import { django, prisma, rails, respawn } from './statements.ts'
import { typeorm } from './typeorm.ts'

/** Tools in use today. Loaded only where the packages of benchmarks/package.json are installed. */
export const PEERS: readonly Method[] = [
  knexCleaner,
  mikroOrm,
  drizzleSeed,
  sequelize,
  typeorm,
  prisma,
  respawn,
  django,
  rails,
  snapshot,
  createFromTemplate,
  pgsqlTest,
  pgTransactionalTests,
]
