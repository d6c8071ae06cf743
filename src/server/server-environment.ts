/** Variables that programs need to be found and loaded. */
const NEEDED = /^(PATH|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH)$/i

/** A server's environment, reduced: it may run as another user, who could read tokens from it. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const needed = Object.entries(process.env).filter(([name]) => NEEDED.test(name))
  return { ...Object.fromEntries(needed), LC_ALL: 'C', TZ: 'UTC' }
}
