/**
 * In: connections to MySQL.
 * Out: the engine, made as MariaDB's is (`create-engine.ts`).
 * Called by `engine/registry.ts`.
 */
import type { Engine } from '../engine.ts'
import { engineOf } from './create-engine.ts'
import { mysqlFlavor } from './flavor.ts'

export const mysql: Engine = engineOf(mysqlFlavor)
