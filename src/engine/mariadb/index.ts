import type { Engine } from '../engine.ts'
import { engineOf } from '../mysql/engine-of.ts'
import { mariadbFlavor } from './flavor.ts'

export const mariadb: Engine = engineOf(mariadbFlavor)
