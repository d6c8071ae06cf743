import type { Client } from '../../client.ts'
import type { OpenEraser } from '../method.ts'
import { TENANT, tableOf } from '../tree.ts'

const AT_ONCE = 100

export const open: OpenEraser = async ({ connect, depth }) => {
  const client = await connect()
  return {
    async erase() {
      await client.run('BEGIN')
      const roots = tableOf('plain', 1)
      let last = 0
      for (;;) {
        const ids = await idsOf(
          client,
          `${roots} WHERE tenant = ${TENANT} AND id > ${last} ORDER BY id LIMIT ${AT_ONCE}`,
        )
        if (ids.length === 0) break
        last = ids.at(-1) ?? last
        await eraseRows(client, 1, depth, ids)
      }
      await client.run('COMMIT')
    },
    close: () => client.close(),
  }
}

/**
 * Deletes referring rows first. Rows that nothing can refer to are deleted without being read, as Django
 * does.
 */
async function eraseRows(
  client: Client,
  level: number,
  depth: number,
  ids: readonly number[],
): Promise<void> {
  const list = ids.join(', ')
  if (level < depth) {
    const children = tableOf('plain', level + 1)
    if (level + 1 === depth) await client.run(`DELETE FROM ${children} WHERE parent IN (${list})`)
    else {
      const found = await idsOf(client, `${children} WHERE parent IN (${list}) ORDER BY id`)
      for (let from = 0; from < found.length; from += AT_ONCE) {
        await eraseRows(client, level + 1, depth, found.slice(from, from + AT_ONCE))
      }
    }
  }
  await client.run(`DELETE FROM ${tableOf('plain', level)} WHERE id IN (${list})`)
}

async function idsOf(client: Client, rest: string): Promise<number[]> {
  return (await client.run(`SELECT id FROM ${rest}`)).map(({ id }) => Number(id))
}
