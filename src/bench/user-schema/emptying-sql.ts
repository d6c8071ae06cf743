import type { Engine } from '../../engine/engine.ts'
import type { Step } from '../../plan/plan.ts'
import { type Graph, graphOf } from '../../schema/graph.ts'
import { type Schema, type Table, type TableId, tableOf } from '../../schema/schema.ts'

/** How one table is emptied: as SQL, or why it cannot be, as a phrase. */
export interface EmptyingSql {
  readonly delete: string
  readonly truncate: string | { readonly impossible: string }
  /** Resets the table to its initial state by any means. */
  readonly renew: string
  /** The tables that `renew` resets: this one, and others that must be included. */
  readonly renewed: readonly TableId[]
}

/** The statements with which a reset empties tables. Pure, apart from the engine's SQL. */
export class EmptyingSqlBuilder {
  readonly #engine: Engine
  readonly #schema: Schema
  readonly #graph: Graph
  readonly #isUnchecked: boolean

  /** @param isUnchecked whether foreign keys are off; otherwise the tables of a cycle are emptied together */
  constructor(engine: Engine, schema: Schema, isUnchecked: boolean) {
    this.#engine = engine
    this.#schema = schema
    this.#graph = graphOf(schema)
    this.#isUnchecked = isUnchecked
  }

  of(id: TableId): EmptyingSql {
    const group = this.#isUnchecked ? [id] : (this.#graph.order.find((tables) => tables.includes(id)) ?? [id])
    const closure = this.#engine.capabilities.truncateNeedsClosure ? this.#graph.closure(id) : [id]
    const kept = closure
      .map((member) => tableOf(this.#schema, member))
      .find((table) => reasonNotToMeasure(table) !== undefined)
    const deleted = this.#render({ ...STEP, kind: 'delete', tables: group, truncateAlternative: undefined })
    const truncated = this.#render({ ...STEP, kind: 'truncate', tables: closure })
    const isVersioned = tableOf(this.#schema, id).traits.includes('system-versioned')
    const impossible =
      kept !== undefined
        ? `it would empty "${kept.label}" too`
        : isVersioned
          ? 'the server does not let a system-versioned table be truncated'
          : undefined
    return {
      delete: deleted,
      truncate: impossible === undefined ? truncated : { impossible },
      renew: kept === undefined ? truncated : deleted,
      renewed: kept === undefined ? closure : group,
    }
  }

  #render(step: Step): string {
    const sql = this.#engine.render(this.#schema, {
      strategy: 'delete',
      sequenceMode: 'keep',
      mode: this.#isUnchecked ? 'unchecked' : 'ordered',
      order: this.#graph.order,
      kept: [],
      populated: [],
      sequences: [],
      references: [],
      steps: [step],
    })
    return sql.join(';\n')
  }
}

const STEP = { when: [], reason: '' }

/** Why a table is not measured, as a phrase; `undefined` if it is. */
export function reasonNotToMeasure({ traits }: Table): string | undefined {
  if (traits.includes('extension')) return 'it belongs to an extension'
  if (traits.includes('foreign')) return 'its rows, or some of them, live on another server'
  if (traits.includes('materialized')) return 'a materialized view: it is refreshed, not emptied'
  return undefined
}
