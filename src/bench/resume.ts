import { readFile } from 'node:fs/promises'
import { AfreshError, codeOf } from '../errors.ts'
import { OWN_FACTOR } from './cases.ts'
import { machine } from './machine.ts'
import { type BenchResults, parseResults } from './results.ts'

/** The settings that results in one file must share. */
export type Conditions = Pick<BenchResults['settings'], 'rounds' | 'leastRounds' | 'budgetMs' | 'seed'>

/**
 * The results in a file to which others can be added; `undefined` if there is no file.
 *
 * @param isOwn whether tables of the user are to be measured
 * @throws AfreshError `usage` if the results are from other conditions or another machine, or the file is
 * invalid
 */
export async function earlierResults(
  file: string,
  conditions: Conditions,
  isOwn: boolean,
): Promise<BenchResults | undefined> {
  const text = await readIfThere(file)
  if (text === undefined) return undefined
  const results = parseResults(text, file)
  const { cpu, cores } = machine()
  const wereOwn = results.cases.some(({ factor }) => factor === OWN_FACTOR)
  const differences = [
    ...(wereOwn === isOwn ? [] : [wereOwn ? 'your own tables' : 'tables made for it']),
    ...(results.machine.cpu === cpu && results.machine.cores === cores ? [] : ['another machine']),
    ...NAMES.filter(([name]) => results.settings[name] !== conditions[name]).map(
      ([name, words]) => `${words} ${results.settings[name]} rather than ${conditions[name]}`,
    ),
  ]
  if (differences.length === 0) return results
  throw otherConditions(file, differences)
}

export function otherConditions(file: string, differences: readonly string[]): AfreshError {
  return new AfreshError('usage', `${file} has results of other conditions: ${differences.join(', ')}.`, {
    next: 'Choose another folder with --out, or measure everything again with --fresh.',
  })
}

const NAMES: readonly (readonly [keyof Conditions, string])[] = [
  ['rounds', '--rounds'],
  ['leastRounds', 'at least'],
  ['budgetMs', 'a budget in ms of'],
  ['seed', '--seed'],
]

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    // Below a file there is none. Making the folder reports that.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}
