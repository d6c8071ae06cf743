/** A file that `afresh init` proposes to write. */
export interface ProposedFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string
  readonly contents: string
}
