import { EntitySchema, MikroORM } from '@mikro-orm/postgresql'

interface User {
  id: number
  name: string
}

const UserSchema = new EntitySchema<User>({
  name: 'User',
  tableName: 'users',
  properties: { id: { type: 'number', primary: true }, name: { type: 'text' } },
})

const orm = MikroORM.init({ clientUrl: process.env.DATABASE_URL ?? '', entities: [UserSchema] })
// A new identity map for each use, as for each request: an old one would go on showing rows that a reset has put back.
const em = async () => (await orm).em.fork()

export const all = async () =>
  (await (await em()).find(UserSchema, {}, { orderBy: { id: 'asc' } })).map(({ id, name }) => ({ id, name }))
export const add = async (name: string) => (await em()).insert(UserSchema, { name } as User)
export const rename = async (id: number, name: string) =>
  (await em()).nativeUpdate(UserSchema, { id }, { name })
export const remove = async (id: number) => (await em()).nativeDelete(UserSchema, { id })
export const close = async () => (await orm).close()
