import { type FixtureSets, filesOfList } from '../baseline/inputs.ts'
import { runFiles } from '../baseline/run-files.ts'
import type { EraseContext } from '../erase/run-transaction.ts'
import { AfreshError } from '../errors.ts'
import { nearest } from '../util/nearest.ts'

/** The named sets of a configuration. Plain JSON. */
export interface NamedFixtures {
  /** Paths are relative to this folder. */
  readonly cwd: string
  readonly sets: FixtureSets
}

/** @throws AfreshError `usage` for a set that names no file */
export async function checkFixtureSets({ cwd, sets }: NamedFixtures): Promise<void> {
  for (const name of Object.keys(sets)) await filesOf(sets, name, cwd)
}

/**
 * Adds the rows of a set, on top of what is in the database.
 *
 * @throws AfreshError `usage` for an unknown set, `baseline` for a file that cannot be loaded, `blocked`
 */
export async function loadFixtures(context: EraseContext, named: NamedFixtures, name: string): Promise<void> {
  const { engine, connection, schema, lockTimeoutMs, proof } = context
  const files = await filesOf(named.sets, name, named.cwd)
  // Files of SQL begin transactions themselves: what would be proved in each is proved before.
  await engine.bulkInsert.insert(connection, schema, [], { lockTimeoutMs, proof })
  const rows = async () => ({ engine, connection, schema })
  await runFiles({ scripts: connection, rows, options: { lockTimeoutMs, proof } }, 'fixtures', files)
}

async function filesOf(sets: FixtureSets, name: string, cwd: string) {
  const given = Object.hasOwn(sets, name) ? sets[name] : undefined
  if (given === undefined) throw noSuchSet(name, Object.keys(sets))
  return filesOfList(`fixtureSets.${name}`, typeof given === 'string' ? [given] : given, cwd)
}

function noSuchSet(name: string, names: readonly string[]): AfreshError {
  const near = nearest(name, names)
  return new AfreshError('usage', `load: there is no set of fixtures ${JSON.stringify(name)}.`, {
    next:
      names.length === 0
        ? "Name its files in the options: fixtureSets: { orders: 'fixtures/orders/*.csv' }."
        : `${near === undefined ? '' : `Is it ${near}? `}\`fixtureSets\` names ${names.join(', ')}.`,
  })
}
