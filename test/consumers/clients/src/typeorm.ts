import { DataSource, EntitySchema } from 'typeorm'

interface User {
  id: number
  name: string
}

const UserSchema = new EntitySchema<User>({
  name: 'User',
  tableName: 'users',
  columns: { id: { type: Number, primary: true, generated: true }, name: { type: String } },
})

// Not `synchronize` or `dropSchema`: the baseline is made once, by the migrations.
const source = new DataSource({
  type: 'postgres',
  url: process.env.DATABASE_URL ?? '',
  entities: [UserSchema],
})
const users = source.initialize().then(() => source.getRepository(UserSchema))

export const all = async () => (await users).find({ order: { id: 'ASC' } })
export const add = async (name: string) => (await (await users).save({ name })).id ?? 0
export const rename = async (id: number, name: string) => (await users).update({ id }, { name })
export const remove = async (id: number) => (await users).delete({ id })
export const close = () => source.destroy()
