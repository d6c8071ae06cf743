import type { SequenceId, TableId } from '../schema/schema.ts'

/** `rows`: row count. `hash`: of all rows, independent of their order. */
export interface Fingerprint {
  readonly tables: ReadonlyMap<TableId, { readonly rows: number; readonly hash: string }>
  /** `value:called` */
  readonly sequences: ReadonlyMap<SequenceId, string>
}
