import type { Engine } from '../engine/engine.ts'
import { newMark } from '../engine/ownership-mark.ts'
import { AfreshError } from '../errors.ts'
import type { Rollbacks, TestReport } from '../reset/rollback.ts'
import { once } from '../util/once.ts'
import { eraseConnectionOn } from './erase-connection.ts'
import type { KeepOptions, KeptCopy } from './keep-copy.ts'
import type { OpenLease } from './lease-session.ts'
import { whileServerAnswers } from './liveness.ts'
import type { NamedFixtures } from './load-fixtures.ts'
import { openResourcesOn, wasReleased } from './open-resources.ts'
import type { RenewableLease } from './renewable-lease.ts'
import { type SnapshotSource, Snapshots, snapshotMethods } from './snapshots.ts'
import type { TestDatabase } from './test-database.ts'

interface LeasedOptions {
  /** The transaction around each test. */
  readonly around: Rollbacks
  /** Connections do not keep the process alive. */
  readonly unref: boolean
  readonly fixtures: NamedFixtures
  keepCopy(current: OpenLease, options?: KeepOptions): Promise<KeptCopy | undefined>
  /** What a snapshot needs besides the lease. */
  readonly snapshots: Pick<SnapshotSource, 'options' | 'costs'> & { copyName(): string }
}

/** The test database of a lease. */
export function leasedDatabase(
  engine: Engine,
  lease: RenewableLease,
  { around, unref, fixtures, keepCopy, snapshots: given }: LeasedOptions,
): Omit<TestDatabase, 'env'> {
  const { name, url } = lease
  const { begin, settled, ...transaction } = around
  const eraseConnection = eraseConnectionOn(
    async (kind) => {
      await settled(kind)
      const current = await lease.current()
      const { connection, claim } = current.lease
      return { engine, connection, session: current.session, claim }
    },
    { unref, fixtures },
  )
  const snapshots = new Snapshots(() => snapshotSource(engine, lease, given), { unref })
  const resources = async () => openResourcesOn(engine, (await lease.current()).lease.connection)
  const inspecting = 'its sessions were inspected'
  const finish = async () => {
    await transaction.abandon()
    await eraseConnection.close()
    await snapshots.drop()
  }
  const release = once(() => lease.release(finish, (last) => giveBack(engine, last)))
  return {
    name,
    url,
    async begin(client) {
      if (lease.isReleased) throw wasReleased(name)
      await begin(client)
    },
    reset: () =>
      resetOrRecreate(() =>
        lease.run('a reset was under way', () =>
          transaction.reset(async () => (await lease.current()).session),
        ),
      ),
    verify: () =>
      lease.run('it was compared with its baseline', async () => (await lease.current()).session.verify()),
    erase: eraseConnection.erase,
    purge: eraseConnection.purge,
    load: eraseConnection.load,
    ...snapshotMethods(snapshots, around),
    async keepCopy(options) {
      await settled('keepCopy')
      const current = await lease.current()
      // A failure says nothing about the lease, which keeps the clients of the database connected.
      const asked = { engine, url, doing: 'it was copied' }
      return whileServerAnswers(() => keepCopy(current, options), asked)
    },
    openResources: () => lease.run(inspecting, async () => (await resources()).openResources()),
    endOpenResources: (found) =>
      lease.run(inspecting, async () => (await resources()).endOpenResources(found)),
    release,
    [Symbol.asyncDispose]: release,
  }
}

async function snapshotSource(
  engine: Engine,
  lease: RenewableLease,
  { copyName, ...given }: LeasedOptions['snapshots'],
): Promise<SnapshotSource> {
  const { session, lease: held } = await lease.current()
  const { connection, claim } = held
  return { engine, connection, session, claim, ...given, copyName: copyName() }
}

/** A reset that cannot undo a change of the schema forgets the lease, and the next one recreates the database. */
async function resetOrRecreate(reset: () => Promise<TestReport>): Promise<TestReport> {
  try {
    return await reset()
  } catch (error) {
    if (!(error instanceof AfreshError) || error.code !== 'plan') throw error
    const report = await reset()
    return { ...report, notes: [recreatedNote(error), ...report.notes], recreated: true }
  }
}

async function giveBack(engine: Engine, last: OpenLease): Promise<void> {
  await last.session.reset().catch(() => markUnfinished(engine, last))
  await last.session.close()
}

/** The next worker that leases a database marked as unfinished recreates it. */
async function markUnfinished({ ownership }: Engine, { lease: { connection } }: OpenLease): Promise<void> {
  await ownership.write(connection, newMark(await ownership.expected(connection), 'unfinished'))
}

function recreatedNote({ cause, message }: AfreshError): string {
  const [what = ''] = (cause instanceof Error ? cause.message : message).split('\n')
  return `A reset could not bring the database back (${what.replace(/\.$/, '')}): it was recreated from its template.`
}
