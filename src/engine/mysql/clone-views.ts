import { messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { createEach } from './create-each.ts'
import { type Definition, definitionFrom } from './definitions.ts'
import { ident } from './quote.ts'
import { BatchError, batch } from './session.ts'

/** Copies views in the order of their dependencies. Calls `leftOut` for views invalid in the template. */
export async function copyViews(
  to: Connection,
  views: readonly View[],
  options: {
    readonly renamed: (definition: Definition) => Definition
    readonly leftOut: (what: string) => void
    /** Of a view of the template; `undefined` if it is valid there. */
    readonly whyInvalid: (view: string) => Promise<string | undefined>
  },
): Promise<void> {
  let left = views
  while (left.length > 0) {
    const failed: View[] = []
    for (const view of left) {
      const { name, definition } = view
      await (definition === undefined
        ? Promise.reject(view.failure)
        : createEach(to, [options.renamed(definition)])
      ).catch((failure: unknown) => failed.push({ name, definition, failure }))
    }
    if (failed.length < left.length) {
      left = failed
      continue
    }
    for (const { name, failure } of failed) {
      const invalid = await options.whyInvalid(name)
      if (invalid === undefined) throw failure
      options.leftOut(`the view "${name}" (${invalid})`)
    }
    return
  }
}

interface Named {
  readonly name: string
}

export interface View extends Named {
  readonly definition: Definition | undefined
  readonly failure?: unknown
}

/** One round trip, or one for each view if the server cannot show them all. */
export async function readViews(connection: Connection, views: readonly Named[]): Promise<View[]> {
  const show = ({ name }: Named) => `SHOW CREATE VIEW ${ident(name)}`
  try {
    const results = await batch(connection, views.map(show))
    return views.map(({ name }, index) => ({ name, definition: definitionFrom(results[index]?.rows[0]) }))
  } catch (error) {
    if (!(error instanceof BatchError) || error.index === undefined) throw error
  }
  const read: View[] = []
  for (const view of views) {
    read.push(
      await batch(connection, [show(view)]).then(
        ([result]) => ({ name: view.name, definition: definitionFrom(result?.rows[0]) }),
        (failure: unknown) => ({ name: view.name, definition: undefined, failure }),
      ),
    )
  }
  return read
}

/** The error of a query of the view; `undefined` if the view is valid. */
export async function whyInvalid(connection: Connection, view: string): Promise<string | undefined> {
  return connection.query(`SELECT 1 FROM ${ident(view)} LIMIT 0`).then(() => undefined, messageOf)
}
