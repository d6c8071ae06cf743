/** What the proof of an erase failed with: it goes through as it is, for whoever gave the proof to explain. */
const unproven = new WeakSet<object>()

/** Runs what proves that the database is still ours, and remembers its failure. */
export async function proving<T>(prove: () => Promise<T>): Promise<T> {
  try {
    return await prove()
  } catch (error) {
    throw asUnproven(error)
  }
}

export function asUnproven(error: unknown): unknown {
  if (typeof error === 'object' && error !== null) unproven.add(error)
  return error
}

export function isUnproven(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unproven.has(error)
}
