import { EntitySchema } from '@mikro-orm/core'
import { MikroORM as MariaDb } from '@mikro-orm/mariadb'
import { MikroORM as MySql } from '@mikro-orm/mysql'
import { MikroORM as PostgreSql } from '@mikro-orm/postgresql'
import { driverUrl } from '../../client.ts'
import { EVERYWHERE, type Method, type MethodContext } from '../method.ts'

interface Entity {
  id: number
  name: string
  parent: unknown
}

export const mikroOrm: Method = {
  id: 'mikro-orm',
  label: 'MikroORM schema.clearDatabase',
  kind: 'peer',
  source: '@mikro-orm/core',
  engines: EVERYWHERE,
  async open(context) {
    const url = await context.database('mikro_orm')
    const options = { clientUrl: driverUrl(url), entities: entities(context) }
    const orm = await open(context, options)
    return { url: () => url, reset: () => orm.schema.clearDatabase(), close: () => orm.close() }
  },
}

function open({ engine }: MethodContext, options: { clientUrl: string; entities: EntitySchema<Entity>[] }) {
  switch (engine) {
    case 'postgres':
      return PostgreSql.init(options)
    case 'mysql':
      return MySql.init(options)
    case 'mariadb':
      return MariaDb.init(options)
  }
}

function entities({ tables, hasReference }: MethodContext): EntitySchema<Entity>[] {
  const chain = tables.map((table, index) => entity(table, tables[index - 1]))
  return hasReference ? [...chain, entity('reference', undefined)] : chain
}

function entity(name: string, parent: string | undefined): EntitySchema<Entity> {
  return new EntitySchema<Entity>({
    name,
    tableName: name,
    properties: {
      id: { type: 'number', primary: true },
      name: { type: 'string' },
      parent:
        parent === undefined
          ? { type: 'number', nullable: true }
          : { kind: 'm:1', entity: parent, joinColumn: 'parent', nullable: true },
    },
  })
}
