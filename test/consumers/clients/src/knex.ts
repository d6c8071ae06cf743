import Knex from 'knex'

const knex = Knex({ client: 'pg', connection: process.env.DATABASE_URL })

export const all = async () => knex('users').select('id', 'name').orderBy('id')
export const add = async (name: string) => (await knex('users').insert({ name }).returning('id'))[0].id
export const rename = async (id: number, name: string) => knex('users').where({ id }).update({ name })
export const remove = async (id: number) => knex('users').where({ id }).delete()
export const close = () => knex.destroy()
