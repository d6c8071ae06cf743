import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Parses the arguments after `--`. Wrong usage and `--help` print the usage and exit. */
export function optionsOf<T extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: T) {
  if (process.argv.slice(2).includes('--help')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return parseArgs({ options, allowPositionals: false, strict: true }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exit(2)
  }
}

/** Parses a list such as `30,100`; every number must be at least `least`. */
export function wholeNumbers(text: string, name: string, least = 1): number[] {
  const numbers = text.split(',').map((part) => parsed(part, least))
  if (numbers.includes(undefined)) refuse(name, text, 'a list of whole numbers such as 30,100', least)
  return numbers.filter((number) => number !== undefined)
}

export function wholeNumber(text: string, name: string, least = 1): number {
  return parsed(text, least) ?? refuse(name, text, 'a whole number', least)
}

/** The number of tables that a test writes to. */
export function dirtyAmong(tables: number, text: string): number {
  const dirty = wholeNumber(text, 'dirty', 0)
  if (dirty > tables) refuse('dirty', text, `at most the number of tables, ${tables}`, 0)
  return dirty
}

function parsed(text: string, least: number): number | undefined {
  const number = Number(text)
  return /^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least ? number : undefined
}

function refuse(name: string, text: string, wanted: string, least: number): never {
  console.error(`--${name}: '${text}' is not ${wanted}, from ${least} on`)
  process.exit(2)
}

export const roundTo = (value: number, digits = 3) => Number(value.toFixed(digits))
