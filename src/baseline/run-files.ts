import type { BulkInsertOptions } from '../engine/bulk-insert.ts'
import type { Connection, ScriptRun } from '../engine/connection.ts'
import { AfreshError, messageOf } from '../errors.ts'
import { noProgress, type Progress } from '../util/progress.ts'
import { hasRows, type InputFile, readBytes, utf8Of, withoutUndoSection } from './files.ts'
import type { InputName } from './inputs.ts'
import { loadRows, type RowTarget } from './rows/load-rows.ts'

export interface FileTarget {
  /** Runs the files of SQL. */
  readonly scripts: Connection | ScriptRun
  /** Where the rows of the other files go, with the schema at that time. */
  rows(): Promise<RowTarget>
  readonly options?: BulkInsertOptions
  /** Called before each file of SQL, and before the rows of files that follow each other. */
  readonly progress?: Progress
  /** How many of the first files are skipped. Default 0. */
  readonly done?: number
}

/**
 * Loads the files in their order. Rows of files that follow each other are ordered by their tables instead.
 *
 * @throws AfreshError `baseline` with file and line of what cannot be loaded, `blocked`
 */
export async function runFiles(
  { scripts, rows, options, progress = noProgress, done = 0 }: FileTarget,
  name: InputName,
  files: readonly InputFile[],
): Promise<void> {
  let pending: InputFile[] = []
  const announce = (file: InputFile, count = 1) => {
    const label = count === 1 ? file.label : `${file.label} and ${count - 1} more`
    progress({ phase: name, current: files.indexOf(file) + 1, total: files.length, label })
  }
  const flush = async () => {
    const [first] = pending
    if (first === undefined) return
    announce(first, pending.length)
    await loadRows(await rows(), pending, options)
    pending = []
  }
  for (const file of files.slice(done)) {
    if (hasRows(file)) pending.push(file)
    else {
      await flush()
      announce(file)
      await runFile(scripts, name, file)
    }
  }
  await flush()
}

async function runFile(to: Connection | ScriptRun, name: InputName, file: InputFile): Promise<void> {
  try {
    const bytes = await readBytes(file)
    const text = bytes.toString('latin1')
    const wanted = name === 'migrate' ? bytes.subarray(0, withoutUndoSection(text).length) : bytes
    if ('run' in to) await to.run(wanted, file.label)
    else {
      await to.script(utf8Of(wanted), file.label)
      // What follows may run in another session, from a template with the migrations up to this one.
      if (name === 'migrate') await to.discard?.()
    }
  } catch (error) {
    if (error instanceof AfreshError && error.message.includes(file.label)) throw error
    const next = error instanceof AfreshError ? error.next : 'Correct the file; its changes are discarded.'
    const message = next === undefined ? messageOf(error) : messageOf(error).replace(`\n  → ${next}`, '')
    throw new AfreshError('baseline', `${name}: ${file.label} could not be loaded: ${message}`, {
      cause: error,
      ...(next === undefined ? {} : { next }),
    })
  }
}
