import { type RowPosition, type RowSource, type SourceRow, textOf } from './bulk-insert.ts'

/** Reads the source again, only after a failure: positions of all rows would not fit into memory. */
async function find(
  source: RowSource,
  isWanted: (row: SourceRow, index: number) => boolean,
): Promise<RowPosition | undefined> {
  let index = 0
  for await (const batch of source.batches()) {
    for (const row of batch) if (isWanted(row, index++)) return { source, line: row.line }
  }
  return undefined
}

/** @param index counted from 0 */
export async function rowAt(source: RowSource, index: number): Promise<RowPosition> {
  return (await find(source, (_, position) => position === index)) ?? { source }
}

/**
 * The first row with these values in these columns.
 *
 * @param text the values as a message shows them, joined by a comma and a space
 */
export async function rowWithKey(
  sources: readonly RowSource[],
  columns: readonly string[],
  text: string,
): Promise<RowPosition | undefined> {
  for (const source of sources) {
    const indexes = columns.map((name) => source.columns.findIndex((column) => column.name === name))
    if (indexes.includes(-1)) continue
    const keyOf = ({ values }: SourceRow) => indexes.map((index) => textOf(values[index] ?? null)).join(', ')
    const found = await find(source, (row) => keyOf(row) === text)
    if (found !== undefined) return { ...found, column: columns.join(', ') }
  }
  return undefined
}
