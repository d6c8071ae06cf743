import type { EraseBranch, EraseView } from '../erase/explain.ts'
import type { ErasedTable, EraseReport } from '../erase/report.ts'
import { aligned, count, duration, type Output, printable } from './output.ts'

export function writeErased(report: EraseReport, output: Output): void {
  const { dryRun, tables, rows, batches, durationMs, statements } = report
  const marked = tables.some((table) => table.marked > 0)
  const done = dryRun ? (marked ? 'Would mark' : 'Would delete') : marked ? 'Marked' : 'Deleted'
  const how = batches > 1 ? `, in ${count(batches, 'batch')}` : ''
  output.line(output.style.bold(`${done} ${count(rows, 'row')} in ${duration(durationMs)}${how}`))
  for (const line of aligned(tables.map((table) => [printable(table.table), numbersOf(table)])))
    output.line(line)
  if (!dryRun) return
  output.line()
  output.line(output.style.bold('Statements'))
  for (const { sql, values } of statements) {
    output.line(`  ${sql}`)
    if (values.length > 0) output.line(output.style.dim(`    -- with ${values.map(shown).join(', ')}`))
  }
  output.line()
  output.line('Dry run: everything was rolled back.')
}

function numbersOf({ deleted, changed, marked, archived }: ErasedTable): string {
  const parts = [
    ...(marked > 0 ? [`${count(marked, 'row')} marked`] : []),
    ...(deleted === undefined ? ['by ON DELETE, not counted'] : deleted > 0 ? [count(deleted, 'row')] : []),
    ...(archived > 0 ? ['kept in its archive table'] : []),
    ...(changed !== undefined && changed > 0 ? [`${count(changed, 'row')} changed`] : []),
  ]
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function shown(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.slice(0, 10).map(shown).join(', ')}${value.length > 10 ? ', …' : ''}]`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const text = value instanceof Date ? value.toISOString() : String(value)
  return printable(typeof value === 'string' ? JSON.stringify(text) : text, 60)
}

/** Prints the tables as a tree, with what happens to the rows of each. */
export function writeTree(view: EraseView, output: Output): void {
  const { style } = output
  output.line(style.bold(printable(view.table)) + triggersOf(view.tree))
  writeBranches(view.tree.children, '', output)
  output.line()
  if (view.bare) output.line('No table refers to it, so one statement is enough.')
  else {
    const order = view.order.map((tables) =>
      tables.length > 1 ? `(${tables.join(' + ')})` : tables.join(''),
    )
    output.line(`Rows are deleted in this order: ${order.map((label) => printable(label)).join(', ')}`)
  }
  if (view.refused !== undefined) {
    output.line()
    output.line(style.bad(view.refused))
  }
}

function writeBranches(branches: readonly EraseBranch[], indent: string, output: Output): void {
  for (const [index, branch] of branches.entries()) {
    const isLast = index === branches.length - 1
    output.line(`${indent}${isLast ? '└─ ' : '├─ '}${wordsOf(branch)}${triggersOf(branch)}`)
    writeBranches(branch.children, `${indent}${isLast ? '   ' : '│  '}`, output)
  }
}

function wordsOf({ table, key, onDelete, does, asked, again }: EraseBranch): string {
  if (key === undefined)
    return `${printable(table)}${onDelete === undefined ? ': inherits from it' : ': another database'}`
  const declared = `ON DELETE ${onDelete?.toUpperCase()}`
  const what = {
    delete: 'its rows are deleted',
    mark: 'its rows are marked',
    'set null': 'its rows are kept, the key becomes NULL',
    'set default': 'its rows are kept, the key becomes its default',
    refuse: asked ? 'fails if there are any' : 'the server refuses if there are any',
  }[does]
  return `${printable(key)}: ${what}${again ? ' (as above)' : ''} · ${declared}${asked ? ', overridden' : ''}`
}

function triggersOf({ triggers }: EraseBranch): string {
  return triggers.length === 0 ? '' : ` · fires ${triggers.map((name) => printable(name)).join(', ')}`
}
