import { access } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { AfreshError } from '../../errors.ts'
import { type Filled, fillTables } from '../../generate/fill.ts'
import { type Random, randomFrom } from '../../generate/random.ts'
import { type Writer, writerFor } from '../../generate/writer.ts'
import type { Table } from '../../schema/schema.ts'
import { count } from '../output.ts'
import type { Scenario, ScenarioTest } from './scenario.ts'

const TESTS = 6

/** The user's own tables, with generated rows in empty ones, and random tests. */
export async function scenarioOf(
  file: string,
  seed: number,
  onFilled: (filled: Filled) => void,
): Promise<Scenario> {
  const path = resolve(file)
  await access(path).catch((cause: unknown) => {
    throw new AfreshError('usage', `The file ${path} cannot be read.`, { next: 'Correct the path.', cause })
  })
  const random = randomFrom(seed)
  return {
    title: basename(path),
    schemaFile: path,
    async fill({ engine, connection }) {
      const writer = await writerFor(engine, connection, random)
      const { populated } = await engine.inspectState(connection, writer.schema)
      onFilled(await fillTables(writer, populated))
    },
    async tests({ engine, connection }) {
      const writer = await writerFor(engine, connection, random)
      return Array.from({ length: TESTS }, () => randomTest(writer, random))
    },
  }
}

type Action = (writer: Writer, table: Table) => Promise<string | undefined>

const ACTIONS: readonly Action[] = [
  async (writer, table) =>
    (await writer.insert(table, 10)) === undefined ? `inserted into ${table.label}` : undefined,
  async (writer, table) => ((await writer.update(table)) ? `updated ${table.label}` : undefined),
  async (writer, table) => ((await writer.remove(table)) ? `deleted from ${table.label}` : undefined),
  drawNumber,
  rollBack,
]

function randomTest(writer: Writer, random: Random): ScenarioTest {
  return {
    title: 'Random writes',
    async write() {
      const wanted = random.int(3, 8)
      const done = new Map<string, number>()
      for (let tried = 0, found = 0; found < wanted && tried < 60; tried++) {
        const table = random.pick(writer.schema.tables)
        const action = random.pick(ACTIONS)
        if (table === undefined || action === undefined) break
        const what = await action(writer, table)
        if (what === undefined) continue
        found += 1
        done.set(what, (done.get(what) ?? 0) + 1)
      }
      return [...done]
        .map(([what, times]) => (times > 1 ? `${what} (${count(times, 'time')})` : what))
        .join(', ')
    },
  }
}

async function drawNumber(writer: Writer): Promise<string | undefined> {
  const sequence = writer.schema.sequences.find(
    ({ kind, ownedBy }) => kind === 'sequence' && ownedBy === undefined,
  )
  if (sequence === undefined) return undefined
  await writer.run(writer.syntax.draw(sequence))
  return `took a number from ${sequence.label}`
}

async function rollBack(writer: Writer, table: Table): Promise<string | undefined> {
  await writer.run('BEGIN')
  try {
    return (await writer.insert(table, 1)) === undefined
      ? `inserted into ${table.label} and rolled back`
      : undefined
  } finally {
    await writer.run('ROLLBACK')
  }
}
