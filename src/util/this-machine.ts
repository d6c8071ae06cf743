import { networkInterfaces } from 'node:os'

/**
 * Whether an IP address belongs to this machine: the loopback range or one of its network interfaces, for
 * example the bridge of a local container engine.
 */
export function isOwnAddress(address: string): boolean {
  if (address === '::1' || /^127\.[\d.]+$/.test(address)) return true
  return Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address === address))
}
