/** Estimates the remaining time from what each number of rows took so far. */
export class Eta {
  readonly #took = new Map<number, { ms: number; tables: number }>()

  record(rows: number, ms: number): void {
    const known = this.#took.get(rows) ?? { ms: 0, tables: 0 }
    this.#took.set(rows, { ms: known.ms + ms, tables: known.tables + 1 })
  }

  /** `, about 1:30 min left`; empty before the first measurement. */
  describe(tables: number): string {
    if (this.#took.size === 0) return ''
    const ofOne = [...this.#took.values()].reduce((sum, { ms, tables }) => sum + ms / tables, 0)
    const seconds = Math.round((ofOne * tables) / 1000)
    return `, about ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min left`
  }
}
