import { DataSource, EntitySchema } from 'typeorm'
import { driverUrl } from '../../client.ts'
import { EVERYWHERE, type Method, type MethodContext } from '../method.ts'

interface Entity {
  id: number
  name: string
  parent: unknown
}

export const typeorm: Method = {
  id: 'typeorm',
  label: 'TypeORM clear',
  kind: 'peer',
  source: 'typeorm',
  note: 'repository.clear() of every entity. PostgreSQL: { cascade: true }. MySQL, MariaDB: within SET FOREIGN_KEY_CHECKS = 0',
  engines: EVERYWHERE,
  async open(context) {
    const url = await context.database('typeorm')
    const entities = entitiesOf(context)
    const db = new DataSource({ type: context.engine, url: driverUrl(url), entities })
    await db.initialize()
    return {
      url: () => url,
      reset:
        context.engine === 'postgres' ? () => clearEach(db, entities) : () => clearUnchecked(db, entities),
      close: () => db.destroy(),
    }
  },
}

async function clearEach(db: DataSource, entities: readonly EntitySchema<Entity>[]): Promise<void> {
  for (const entity of entities) await db.getRepository(entity).clear({ cascade: true })
}

async function clearUnchecked(db: DataSource, entities: readonly EntitySchema<Entity>[]): Promise<void> {
  const runner = db.createQueryRunner()
  await runner.query('SET FOREIGN_KEY_CHECKS = 0')
  for (const entity of entities) await runner.manager.getRepository(entity).clear()
  await runner.query('SET FOREIGN_KEY_CHECKS = 1')
  await runner.release()
}

function entitiesOf({ tables, hasReference }: MethodContext): EntitySchema<Entity>[] {
  const chain = tables.map((table, index) => entity(table, tables[index - 1]))
  return hasReference ? [...chain, entity('reference', undefined)] : chain
}

function entity(name: string, parent: string | undefined): EntitySchema<Entity> {
  return new EntitySchema<Entity>({
    name,
    tableName: name,
    columns: {
      id: { type: Number, primary: true, generated: true },
      name: { type: String },
    },
    relations:
      parent === undefined
        ? {}
        : { parent: { type: 'many-to-one', target: parent, joinColumn: { name: 'parent' }, nullable: true } },
  })
}
