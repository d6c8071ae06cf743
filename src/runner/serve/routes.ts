/** In: the method, the path and the body of a request. Out: the status and the body of its reply. */
import type { Socket } from 'node:net'
import { masked } from '../../engine/environment.ts'
import type { Harness } from '../../harness/harness.ts'
import type { TestReport } from '../../reset/rollback.ts'
import { type Body, type BodyName, bodyAs, eraseArguments } from './bodies.ts'
import type { EventLog, EventWrites } from './event-log.ts'
import type { Lease, Leases } from './leases.ts'
import { Refusal } from './refusal.ts'

export interface Call {
  readonly method: string
  /** As it was sent, with its query. */
  readonly target: string
  /** Read only if a route wants it. */
  body(): Promise<unknown>
  readonly socket: Socket
}

export interface Reply {
  readonly status: number
  /** Plain JSON. */
  readonly body?: unknown
}

export interface RouteContext {
  readonly harness: Pick<Harness, 'title' | 'handle'>
  readonly leases: Leases
  readonly events: EventLog
  /** The OpenAPI document. */
  describe(): unknown
}

interface Given {
  readonly context: RouteContext
  /** The lease of the path. */
  readonly id: string
  readonly call: Call
  readonly after: number
}

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  run(given: Given): Promise<Reply>
}

/** A route with a body. */
function post<Name extends BodyName>(
  path: string,
  kind: Name,
  run: (given: Given, body: Body<Name>) => Promise<Reply>,
): Route {
  return {
    method: 'POST',
    path,
    run: async (given) => run(given, bodyAs(kind, await given.call.body())),
  }
}

/** A route that works on the database of a lease. */
function onLease<Name extends BodyName>(
  action: string,
  kind: Name,
  work: (lease: Lease, body: Body<Name>, leases: Leases) => Promise<unknown>,
): Route {
  return post(`/v1/leases/:id/${action}`, kind, async ({ context: { leases }, id }, body) => ({
    status: 200,
    body: await leases.use(id, (lease) => work(lease, body, leases)),
  }))
}

/** All that the service does; `docs/openapi.json` describes it. */
const ROUTES: readonly Route[] = [
  post('/v1/leases', 'lease', async ({ context: { leases }, call }, body) => {
    return { status: 201, body: leaseBody(await leases.take(body, call.socket)) }
  }),
  {
    method: 'DELETE',
    path: '/v1/leases/:id',
    async run({ context: { leases }, id }) {
      await leases.release(id)
      return { status: 204 }
    },
  },
  onLease('reset', 'test', async (lease, { test }, leases) => {
    const report = await leases.measure(lease, () => lease.database.reset())
    leases.record(lease, 'reset', { test: test ?? null, writes: writesOf(report) })
    return reportBody(report)
  }),
  onLease('snapshot', 'snapshot', async (lease, { name }, leases) => {
    await lease.database.snapshot(name)
    leases.record(lease, 'snapshot', { subject: name })
    return {}
  }),
  onLease('restore', 'restore', async (lease, { name, test }, leases) => {
    const report = await leases.measure(lease, () => lease.database.restore(name))
    leases.record(lease, 'restore', { subject: name, test: test ?? null, writes: writesOf(report) })
    return reportBody(report)
  }),
  onLease('load', 'load', async (lease, { set }, leases) => {
    await lease.database.load(set)
    leases.record(lease, 'load', { subject: set })
    return {}
  }),
  onLease('verify', 'nothing', async ({ database }) => ({ differences: await database.verify() })),
  onLease('erase', 'erase', async (lease, body, leases) => {
    const { dryRun, rows, tables, statements, durationMs } = await lease.database.erase(
      ...eraseArguments(body),
    )
    leases.record(lease, 'erase', { subject: body.table })
    const counted = tables.map(({ deleted = null, changed = null, ...table }) => ({
      ...table,
      deleted,
      changed,
    }))
    return { dryRun, rows, tables: counted, statements: statements.map(({ sql }) => sql), durationMs }
  }),
  {
    method: 'GET',
    path: '/v1/status',
    async run({ context: { harness, leases } }) {
      return { status: 200, body: statusBody(harness, leases.all()) }
    },
  },
  {
    method: 'GET',
    path: '/v1/events',
    run: async ({ context: { events }, after }) => ({ status: 200, body: events.after(after) }),
  },
  {
    method: 'GET',
    path: '/v1/openapi.json',
    run: async ({ context }) => ({ status: 200, body: context.describe() }),
  },
]

/** No route has anything else in it: encoded and relative paths, and addresses of other services, fit none. */
const TARGET = /^(\/[\w./-]*)(?:\?after=(\d{1,15}))?$/

/** @throws Refusal if there is no such route; whatever the route throws */
export async function answer(context: RouteContext, call: Call): Promise<Reply> {
  const [, path, after] = TARGET.exec(call.target) ?? []
  const found = path === undefined ? [] : ROUTES.flatMap((route) => matched(route, path))
  if (found.length === 0 || (after !== undefined && path !== '/v1/events')) {
    throw new Refusal(404, 'not-found', 'There is nothing at this path: see /v1/openapi.json.')
  }
  const match = found.find(({ route }) => route.method === call.method)
  if (match === undefined) {
    const known = found.map(({ route }) => route.method).join(', ')
    throw new Refusal(405, 'method', `This path takes ${known}.`)
  }
  return match.route.run({ context, id: match.id, call, after: Number(after ?? 0) })
}

function matched(route: Route, path: string): { readonly route: Route; readonly id: string }[] {
  const [before = '', behind] = route.path.split(':id')
  if (behind === undefined) return route.path === path ? [{ route, id: '' }] : []
  const id = path.slice(before.length, path.length - behind.length)
  const isMatch = path.startsWith(before) && path.endsWith(behind) && /^[\da-f]{32}$/.test(id)
  return isMatch ? [{ route, id }] : []
}

function leaseBody({ id, worker, client, database, expiresAt, socket }: Lease): unknown {
  const { name, url, env } = database
  const endsWithConnection = socket !== undefined
  return {
    id,
    worker,
    client,
    name,
    url,
    env,
    expiresAt: isoTime(expiresAt),
    endsWithConnection,
  }
}

function isoTime(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString()
}

function statusBody({ title, handle }: RouteContext['harness'], leases: readonly Lease[]): unknown {
  return {
    server: masked(title),
    engine: handle.engine,
    project: handle.project,
    fixtureSets: Object.keys(handle.fixtures.sets),
    leases: leases.map(({ id, worker, client, database, leasedAt, expiresAt, resets, socket }) => ({
      id,
      worker,
      client,
      name: database.name,
      leasedAt: new Date(leasedAt).toISOString(),
      expiresAt: isoTime(expiresAt),
      endsWithConnection: socket !== undefined,
      resets,
    })),
  }
}

function reportBody(report: TestReport): unknown {
  const { dirty, durationMs, detector, why, notes, recreated } = report
  return { dirty, writes: writesOf(report), durationMs, detector, why, notes, recreated }
}

function writesOf({ writes }: TestReport): EventWrites[] {
  return writes.map(({ table, inserted = null, updated = null, deleted = null }) => ({
    table,
    inserted,
    updated,
    deleted,
  }))
}
