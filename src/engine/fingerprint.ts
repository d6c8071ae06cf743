import type { SequenceId, TableId } from '../schema/schema.ts'

/** `rows`: how many. `hash`: of all rows, whatever their order. */
export interface Fingerprint {
  readonly tables: ReadonlyMap<TableId, { readonly rows: number; readonly hash: string }>
  /** `value:called` */
  readonly sequences: ReadonlyMap<SequenceId, string>
}
