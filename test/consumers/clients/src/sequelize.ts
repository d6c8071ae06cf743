import { DataTypes, Sequelize } from 'sequelize'

const sequelize = new Sequelize(process.env.DATABASE_URL ?? '', { logging: false })
const User = sequelize.define('User', { name: DataTypes.TEXT }, { tableName: 'users', timestamps: false })

// Not `sync({ force: true })`: it drops the tables, which takes longer than any reset.
export const all = async () =>
  (await User.findAll({ order: ['id'], attributes: ['id', 'name'], raw: true })) as unknown as {
    id: number
    name: string
  }[]
export const add = async (name: string) => (await User.create({ name })).get('id') as number
export const rename = (id: number, name: string) => User.update({ name }, { where: { id } })
export const remove = (id: number) => User.destroy({ where: { id } })
export const close = () => sequelize.close()
