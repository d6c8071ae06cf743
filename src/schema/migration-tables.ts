import type { Schema, Table, TableId } from './schema.ts'

/**
 * The tables in which migration tools note what they have done. They can be renamed, so this is a hint for
 * people and decides nothing: where there is a baseline, it puts these tables back like any other.
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

/** Those of the tables that look like a migration tool's. */
export function migrationTablesAmong(schema: Schema, among: readonly TableId[]): Table[] {
  const ids = new Set(among)
  return schema.tables.filter(({ id, name }) => ids.has(id) && NAMES.has(name.toLowerCase()))
}
