/** An edit at one line of a text: keeps, replaces or removes the line, and may add lines after it. */
export interface Edit {
  /** Counted from 0. */
  readonly line: number
  readonly becomes: readonly string[]
}

/** The lines of a text. A final line break does not start another line. */
export function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/)
}

/** A new file as a diff. */
export function diffOfNew(path: string, contents: string): string[] {
  const lines = linesOf(contents)
  return ['--- /dev/null', `+++ ${path}`, `@@ -0,0 +1,${lines.length} @@`, ...lines.map((line) => `+${line}`)]
}

/** Edits of a text as a unified diff for `patch`, with one line of context around each. */
export function diffOfEdits(path: string, lines: readonly string[], edits: readonly Edit[]): string[] {
  const inOrder = [...edits].sort((a, b) => a.line - b.line)
  const diff = [`--- ${path}`, `+++ ${path}`]
  let shift = 0
  for (let next = 0; next < inOrder.length; ) {
    const hunk = inOrder.slice(next, endOfHunk(inOrder, next))
    next += hunk.length
    const first = Math.max(0, (hunk[0]?.line ?? 0) - 1)
    const last = Math.min(lines.length - 1, (hunk.at(-1)?.line ?? 0) + 1)
    const body: string[] = []
    for (let index = first; index <= last; index++)
      body.push(
        ...diffOfLine(
          lines[index] ?? '',
          hunk.find(({ line }) => line === index),
        ),
      )
    const before = body.filter((line) => !line.startsWith('+')).length
    const after = body.filter((line) => !line.startsWith('-')).length
    diff.push(`@@ -${first + 1},${before} +${first + 1 + shift},${after} @@`, ...body)
    shift += after - before
  }
  return diff
}

/** Edits whose contexts touch belong to one hunk. */
function endOfHunk(edits: readonly Edit[], start: number): number {
  let end = start + 1
  while (end < edits.length && (edits[end]?.line ?? 0) - (edits[end - 1]?.line ?? 0) <= 3) end++
  return end
}

function diffOfLine(line: string, edit: Edit | undefined): string[] {
  if (edit === undefined) return [` ${line}`]
  const [first, ...rest] = edit.becomes
  const added = rest.map((text) => `+${text}`)
  return first === line ? [` ${line}`, ...added] : [`-${line}`, ...edit.becomes.map((text) => `+${text}`)]
}
