/** Runs one method in a separate process, so that its memory can be measured. */
import { messageOf } from '../../src/errors.ts'
import { connect } from '../connect.ts'
import type { Eraser, MethodContext, MethodInfo, OpenEraser } from './method.ts'
import { countRoundTrips, roundTrips } from './round-trips.ts'

export interface Start {
  readonly method: Pick<MethodInfo, 'id' | 'kind'>
  readonly context: Omit<MethodContext, 'connect' | 'rootsFor'> & { readonly rowsPerRoot: number }
}

export interface Figures {
  readonly ms: number
  /** `undefined` without a server. */
  readonly roundTrips: number | undefined
  /** Peak memory of the process so far, and its memory when it was ready. */
  readonly peakRssMb: number
  readonly readyRssMb: number
}

export type Order = { readonly do: 'open'; readonly start: Start } | { readonly do: 'erase' | 'close' }

let eraser: Eraser | undefined
let readyRssMb = 0
let isCounted = false

process.on('message', (order: Order) => {
  carryOut(order).then(
    (done) => process.send?.({ done }),
    (error: unknown) => process.send?.({ failed: messageOf(error) }),
  )
})
process.on('disconnect', () => process.exit())

async function carryOut(order: Order): Promise<Figures | null> {
  if (order.do === 'open') await open(order.start)
  else if (order.do === 'erase') return measured()
  else await eraser?.close()
  return null
}

async function open({ method, context }: Start): Promise<void> {
  const { engine, url, rowsPerRoot } = context
  isCounted = engine !== 'sqlite'
  if (isCounted) countRoundTrips(engine === 'postgres' ? 'postgres' : 'mysql')
  const file = method.kind === 'orm' ? `./peers/${method.id}.ts` : `./methods/${method.id}.ts`
  const module = (await import(file)) as { open: OpenEraser }
  eraser = await module.open({
    ...context,
    rootsFor: (rows) => Math.max(1, Math.floor(rows / rowsPerRoot)),
    connect: () => connect(url),
  })
  readyRssMb = maxRssMb()
}

async function measured(): Promise<Figures> {
  if (eraser === undefined) throw new Error('nothing was opened')
  const before = roundTrips()
  const begin = performance.now()
  await eraser.erase()
  const ms = performance.now() - begin
  return {
    ms,
    roundTrips: isCounted ? roundTrips() - before : undefined,
    peakRssMb: maxRssMb(),
    readyRssMb,
  }
}

function maxRssMb(): number {
  return process.resourceUsage().maxRSS / 1024
}
