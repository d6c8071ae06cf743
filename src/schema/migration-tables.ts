import type { Schema, Table, TableId } from './schema.ts'

/**
 * Default names of the tables in which migration tools record their progress. Users can rename them, so this
 * list is only a hint in messages. A reset restores these tables like any other.
 */
const NAMES = new Set([
  '__diesel_schema_migrations',
  '__drizzle_migrations',
  '__efmigrationshistory',
  '_prisma_migrations',
  '_sqlx_migrations',
  'alembic_version',
  'ar_internal_metadata',
  'atlas_schema_revisions',
  'databasechangelog',
  'databasechangeloglock',
  'django_migrations',
  'doctrine_migration_versions',
  'flyway_schema_history',
  'goose_db_version',
  'gorp_migrations',
  'knex_migrations',
  'knex_migrations_lock',
  'kysely_migration',
  'kysely_migration_lock',
  'migrations',
  'mikro_orm_migrations',
  'pgmigrations',
  'phinxlog',
  'schema_migrations',
  'sequelizedata',
  'sequelizemeta',
  'typeorm_metadata',
])

/** The tables among these whose names are those of a migration tool. */
export function migrationTablesAmong(schema: Schema, among: readonly TableId[]): Table[] {
  const ids = new Set(among)
  return schema.tables.filter(({ id, name }) => ids.has(id) && NAMES.has(name.toLowerCase()))
}
