import { DataTypes, Sequelize } from 'sequelize'
import { driverUrl } from '../../client.ts'
import { EVERYWHERE, type Place, type Way } from '../way.ts'

export const sequelize: Way = {
  id: 'sequelize',
  label: 'Sequelize truncate',
  kind: 'peer',
  source: 'sequelize',
  note: 'PostgreSQL: { cascade: true, restartIdentity: true }. MySQL, MariaDB: within SET FOREIGN_KEY_CHECKS = 0, a pool of one',
  engines: EVERYWHERE,
  async open(place) {
    const url = await place.database('sequelize')
    const isPostgres = place.engine === 'postgres'
    const db = new Sequelize(isPostgres || place.engine === 'mariadb' ? url : driverUrl(url), {
      logging: false,
      pool: { max: 1 },
      dialect: place.engine,
    })
    define(db, place)
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

function define(db: Sequelize, { tables, hasReference }: Place): void {
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
