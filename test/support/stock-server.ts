import type { RunningServer } from '../../src/server/running-server.ts'
import { type OwnContainer, startOwnContainer } from './own-container.ts'

/**
 * Servers as users have them: with the settings of their image, binary log and durability enabled, and none
 * of afresh's.
 */
export const STOCK = {
  'mysql:9.7-stock': { engine: 'mysql', image: 'mysql:9.7', command: [] },
  'mariadb:11.8-stock': {
    engine: 'mariadb',
    image: 'mariadb:11.8',
    // Configurations of distributions and providers enable these; the image does not.
    command: ['--log-bin', '--server-id=1', '--sync-binlog=1'],
  },
} as const satisfies Record<string, OwnContainer>

export type StockId = keyof typeof STOCK

export function startStock(id: StockId): Promise<RunningServer> {
  return startOwnContainer(id, STOCK[id])
}
