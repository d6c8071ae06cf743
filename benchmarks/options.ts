import { type ParseArgsConfig, parseArgs } from 'node:util'

/** What was written behind `--`; wrong usage ends the program with the usage line. */
export function optionsOf<T extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: T) {
  try {
    return parseArgs({ options, allowPositionals: false, strict: true }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exit(2)
  }
}

/** `30,100` */
export function wholeNumbers(text: string, name: string): number[] {
  const numbers = text.split(',').map(Number)
  if (numbers.some((number) => !Number.isInteger(number) || number < 0)) {
    console.error(`--${name}: '${text}' is no list of whole numbers such as 30,100`)
    process.exit(2)
  }
  return numbers
}

export function wholeNumber(text: string, name: string): number {
  return wholeNumbers(text, name)[0] ?? 0
}

export const roundTo = (value: number, digits = 3) => Number(value.toFixed(digits))
