import { isIPv4 } from 'node:net'
import type { StartedTestContainer } from 'testcontainers'
import { messageOf } from '../../errors.ts'
import { isOwnAddress } from '../../util/this-machine.ts'
import type { ContainerRuntime } from './container-engine.ts'

/**
 * The address of this machine to publish ports on, if the container engine runs here: a superuser's port must
 * not be reachable from elsewhere. An engine at another address is on another machine, or this process is in
 * a container beside it. Inside a container (`/.dockerenv`), testcontainers reports the bridge's address
 * instead of loopback; other machines reach neither.
 */
export function privateAddressOf({ info }: ContainerRuntime): string | undefined {
  const addresses = info.containerRuntime.hostIps.map(({ address }) => address)
  if (!addresses.every(isOwnAddress)) return undefined
  return addresses.find((address) => isIPv4(address)) ?? addresses[0]
}

/** testcontainers has no option for this: it publishes on all addresses. */
export function publishOn(container: object, HostIp: string): void {
  const { hostConfig } = container as {
    hostConfig?: { PortBindings?: Record<string, { HostPort: string }[]> }
  }
  if (hostConfig?.PortBindings === undefined) return
  const bound = Object.entries(hostConfig.PortBindings).map(
    ([port, bindings]) => [port, bindings.map((binding) => ({ ...binding, HostIp }))] as const,
  )
  hostConfig.PortBindings = Object.fromEntries(bound)
}

/** The engine tries ten ports per start, and the next start continues from there. */
const STARTS = 20
const PORT_TAKEN = /address already in use|port is already allocated/i

/**
 * Starts a container on a free port. Docker allocates ports per address, and gives up after ten that are in
 * use: by another program, or by ten containers that are published on all addresses.
 * https://github.com/moby/moby/blob/v20.10.24/libnetwork/drivers/bridge/port_mapping.go
 * (maxAllocatePortAttempts)
 *
 * @param discard removes what a failed start left
 */
export async function startOnFreePort<T extends StartedTestContainer>(
  start: () => Promise<T>,
  discard: () => Promise<unknown>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === STARTS || !PORT_TAKEN.test(messageOf(error))) throw error
      await discard()
    }
  }
}
