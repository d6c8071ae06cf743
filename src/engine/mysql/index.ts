import type { Engine } from '../engine.ts'
import { engineOf } from './engine-of.ts'
import { mysqlFlavor } from './flavor.ts'

export { isMariaDb } from './flavor.ts'

export const mysql: Engine = engineOf(mysqlFlavor)
