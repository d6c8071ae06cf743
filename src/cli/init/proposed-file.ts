/** A file that the project is to have. */
export interface ProposedFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string
  readonly contents: string
}
