import { DataTypes, Sequelize } from 'sequelize'
import { driverUrl } from '../../client.ts'
import { EVERYWHERE, type Method, type MethodContext } from '../method.ts'

export const sequelize: Method = {
  id: 'sequelize',
  label: 'Sequelize truncate',
  kind: 'peer',
  source: 'sequelize',
  note: 'PostgreSQL: { cascade: true, restartIdentity: true }. MySQL, MariaDB: within SET FOREIGN_KEY_CHECKS = 0, a pool of one',
  engines: EVERYWHERE,
  async open(context) {
    const url = await context.database('sequelize')
    const isPostgres = context.engine === 'postgres'
    const db = new Sequelize(isPostgres || context.engine === 'mariadb' ? url : driverUrl(url), {
      logging: false,
      pool: { max: 1 },
      dialect: context.engine,
    })
    define(db, context)
    const cascade = async () => {
      await db.truncate({ cascade: true, restartIdentity: true })
    }
    const unchecked = async () => {
      await db.query('SET FOREIGN_KEY_CHECKS = 0')
      await db.truncate()
      await db.query('SET FOREIGN_KEY_CHECKS = 1')
    }
    return {
      url: () => url,
      reset: isPostgres ? cascade : unchecked,
      close: () => db.close(),
    }
  },
}

function define(db: Sequelize, { tables, hasReference }: MethodContext): void {
  for (const [index, table] of [...tables, ...(hasReference ? ['reference'] : [])].entries()) {
    const previous = index > 0 && table !== 'reference' ? tables[index - 1] : undefined
    const parent = {
      type: DataTypes.INTEGER,
      ...(previous && { references: { model: previous, key: 'id' } }),
    }
    const id = { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true }
    db.define(table, { id, name: DataTypes.STRING, parent }, { tableName: table, timestamps: false })
  }
}
