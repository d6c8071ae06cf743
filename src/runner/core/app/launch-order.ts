/** What a starter asks `launcher.ts` to do, in the variable of its environment. */
export interface LaunchOrder {
  /** A shell command that stays in the foreground. */
  readonly command: string
  /** Id of a process. When it exits, the application is ended. */
  readonly owner: number
  /** The run whose first database the application gets. Without it, its variables are set already. */
  readonly run?: { readonly program: string; readonly folders: readonly string[] } | undefined
}

const NAME = 'AFRESH_LAUNCH'

export function encodeOrder(order: LaunchOrder): Record<string, string> {
  return { [NAME]: JSON.stringify(order) }
}

/** Takes it out of the environment: the application has no use for it. */
export function takeOrder(environment: NodeJS.ProcessEnv): LaunchOrder {
  const text = environment[NAME] ?? ''
  delete environment[NAME]
  return JSON.parse(text)
}
