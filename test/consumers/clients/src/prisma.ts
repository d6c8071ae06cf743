import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../generated/client.js'

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) })

export const all = () => prisma.user.findMany({ orderBy: { id: 'asc' } })
export const add = async (name: string) => (await prisma.user.create({ data: { name } })).id
export const rename = (id: number, name: string) => prisma.user.update({ where: { id }, data: { name } })
export const remove = (id: number) => prisma.user.delete({ where: { id } })
export const close = () => prisma.$disconnect()
