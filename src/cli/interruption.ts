/** Ctrl-C and the like: what was started has to be cleaned up before this process ends. */
export function interruption(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve())
    // A promise alone does not keep the process alive.
    setInterval(() => {}, 60_000)
  })
}
