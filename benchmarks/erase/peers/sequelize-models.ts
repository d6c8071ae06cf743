import { DataTypes, type Model, type ModelStatic, Sequelize } from 'sequelize'
import { driverUrl } from '../../client.ts'
import type { MethodContext } from '../method.ts'
import { tablesOf } from '../tree.ts'

export type Level = ModelStatic<Model<{ id: number; name: string; tenant?: number; parent?: number }>>

export function openSequelize({ url, engine, depth }: MethodContext): { db: Sequelize; levels: Level[] } {
  if (engine === 'sqlite') throw new Error('not measured there')
  const db = new Sequelize(engine === 'mysql' ? driverUrl(url) : url, { logging: false, dialect: engine })
  const id = { type: DataTypes.INTEGER, primaryKey: true }
  const levels = tablesOf('plain', depth).map((table, index) => {
    const link = { [index === 0 ? 'tenant' : 'parent']: DataTypes.INTEGER }
    const columns = { id, ...link, name: DataTypes.STRING(40) }
    return db.define(table, columns, { tableName: table, timestamps: false }) as Level
  })
  for (const [index, level] of levels.entries()) {
    const above = levels[index - 1]
    above?.hasMany(level, { foreignKey: 'parent', onDelete: 'CASCADE', hooks: true })
    if (above !== undefined) level.belongsTo(above, { foreignKey: 'parent' })
  }
  return { db, levels }
}
