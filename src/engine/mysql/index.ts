import type { Engine } from '../engine.ts'
import { engineOf } from './create-engine.ts'
import { mysqlFlavor } from './flavor.ts'

export const mysql: Engine = engineOf(mysqlFlavor)
