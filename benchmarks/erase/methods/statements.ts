import type { Eraser, MethodContext } from '../method.ts'

export async function inOneTransaction(
  { connect }: MethodContext,
  statements: readonly string[],
): Promise<Eraser> {
  const client = await connect()
  const sql = ['BEGIN', ...statements, 'COMMIT'].join('; ')
  return {
    async erase() {
      await client.run(sql)
    },
    close: () => client.close(),
  }
}
