import { DataSource, EntitySchema } from 'typeorm'
import { driverUrl } from '../../client.ts'
import type { MethodContext, OpenEraser } from '../method.ts'
import { TENANT, tablesOf } from '../tree.ts'

interface Entity {
  id: number
  name: string
  tenant?: number
  above?: Entity
  children?: Entity[]
}

/** The duration grows with the square of this. */
const AT_ONCE = 1000

/** Removing an entity also removes the children that are loaded with it. */
export const open: OpenEraser = async ({ url, engine, depth, rootsFor }) => {
  if (engine === 'sqlite') throw new Error('not measured there')
  const entities = entitiesOf(depth)
  const db = new DataSource({ type: engine, url: driverUrl(url), entities })
  await db.initialize()
  const [roots] = entities
  if (roots === undefined) throw new Error('there is no table')
  return {
    erase: () =>
      db.transaction(async (manager) => {
        for (;;) {
          const found = await manager.find(roots, {
            where: { tenant: TENANT },
            relations: relationsOf(depth),
            take: rootsFor(AT_ONCE),
          })
          if (found.length === 0) break
          await manager.getRepository(roots).remove(found)
        }
      }),
    close: () => db.destroy(),
  }
}

type Relations = { children?: Relations }

function relationsOf(depth: number): Relations {
  return depth === 1 ? {} : { children: relationsOf(depth - 1) }
}

function entitiesOf(depth: MethodContext['depth']): EntitySchema<Entity>[] {
  const tables = tablesOf('plain', depth)
  return tables.map((table, index) => {
    const [above, below] = [tables[index - 1], tables[index + 1]]
    return new EntitySchema<Entity>({
      name: table,
      tableName: table,
      columns: {
        id: { type: Number, primary: true },
        name: { type: String },
        ...(above === undefined && { tenant: { type: Number } }),
      },
      relations: {
        ...(above !== undefined && {
          above: {
            type: 'many-to-one',
            target: above,
            joinColumn: { name: 'parent' },
            inverseSide: 'children',
          },
        }),
        ...(below !== undefined && {
          children: { type: 'one-to-many', target: below, inverseSide: 'above', cascade: ['remove'] },
        }),
      },
    })
  })
}
