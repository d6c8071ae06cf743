import { Cascade, EntitySchema } from '@mikro-orm/core'
import { MikroORM as MariaDb } from '@mikro-orm/mariadb'
import { MikroORM as MySql } from '@mikro-orm/mysql'
import { MikroORM as PostgreSql } from '@mikro-orm/postgresql'
import { driverUrl } from '../../client.ts'
import type { MethodContext, OpenEraser } from '../method.ts'
import { TENANT, tablesOf } from '../tree.ts'

interface Root {
  id: number
  tenant: number
}

const AT_ONCE = 10_000

/**
 * Removing an entity also removes the children that are loaded with it. A flush deletes some hundred ids at a
 * time.
 */
export const open: OpenEraser = async ({ url, engine, depth, rootsFor }) => {
  const entities = entitiesOf(depth)
  const orm = await init(engine, { clientUrl: driverUrl(url), entities })
  const populate = depth === 1 ? [] : [Array.from({ length: depth - 1 }, () => 'children').join('.')]
  return {
    erase: () =>
      orm.em.fork().transactional(async (em) => {
        for (;;) {
          const options = {
            populate: populate as never[],
            limit: rootsFor(AT_ONCE),
            orderBy: { id: 'asc' } as const,
          }
          const found = await em.find<Root>('l1', { tenant: TENANT }, options)
          if (found.length === 0) break
          for (const root of found) em.remove(root)
          await em.flush()
          em.clear()
        }
      }),
    close: () => orm.close(),
  }
}

function init(
  engine: MethodContext['engine'],
  options: { clientUrl: string; entities: EntitySchema<object>[] },
) {
  switch (engine) {
    case 'postgres':
      return PostgreSql.init(options)
    case 'mysql':
      return MySql.init(options)
    case 'mariadb':
      return MariaDb.init(options)
    case 'sqlite':
      throw new Error('not measured there')
  }
}

function entitiesOf(depth: number): EntitySchema<object>[] {
  const tables = tablesOf('plain', depth)
  return tables.map((table, index) => {
    const [above, below] = [tables[index - 1], tables[index + 1]]
    return new EntitySchema<object>({
      name: table,
      tableName: table,
      properties: {
        id: { type: 'number', primary: true },
        name: { type: 'string' },
        ...(above === undefined
          ? { tenant: { type: 'number' } }
          : { above: { kind: 'm:1', entity: above, joinColumn: 'parent', inversedBy: 'children' } }),
        ...(below !== undefined && {
          children: {
            kind: '1:m',
            entity: below,
            mappedBy: 'above',
            cascade: [Cascade.PERSIST, Cascade.REMOVE],
          },
        }),
      },
    })
  })
}
