/**
 * In: connections to MariaDB.
 * Out: the engine: that of MySQL with another flavor.
 * Called by `engine/registry.ts`.
 */
import type { Engine } from '../engine.ts'
import { engineOf } from '../mysql/create-engine.ts'
import { mariadbFlavor } from './flavor.ts'

export const mariadb: Engine = engineOf(mariadbFlavor)
