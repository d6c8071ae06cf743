/**
 * In: the inputs of a baseline. Out: those of the baselines that it begins with, without fixtures, whose templates
 * it can be made from. Pure.
 */
import type { BaselineInputs } from '../baseline/load.ts'

/** The longest first. None if migrations are a function or command: what is new in those is unknown. */
export function layersOf(inputs: BaselineInputs): BaselineInputs[] {
  return inputs.migrations
    .map(({ parts }, index) => ({
      parts: inputs.parts.slice(0, parts),
      // Only fixtures may be unknown.
      cacheable: true,
      migrations: inputs.migrations.slice(0, index + 1),
    }))
    .filter(({ parts }) => parts.length < inputs.parts.length)
    .reverse()
}

/** All of its migrations, without its fixtures; `undefined` if it has no fixtures, or no files of migrations. */
export function migratedLayer(inputs: BaselineInputs): BaselineInputs | undefined {
  const [longest] = layersOf(inputs)
  return longest?.migrations.length === inputs.migrations.length ? longest : undefined
}
