/** The interactive program with which people look into a database of an engine. */
export interface ClientProgram {
  /** The names that it has; the first that is installed is run. */
  readonly names: readonly string[]
  /**
   * Arguments that lead to the database of a URL, in addition to the variables of the engine. Never a password:
   * every user of the machine can read the arguments of a process.
   */
  argumentsFor(url: string): readonly string[]
  /**
   * Arguments for a line that people type, which lead to the database without any variable. With the password, or
   * such that the program asks for it.
   */
  typedArguments(url: string, options: { readonly showPassword: boolean }): readonly string[]
  /** How to install it, for people. */
  readonly install: string
}
