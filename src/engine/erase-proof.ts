/** Errors of failed proofs, passed on unchanged so that the supplier of the proof can explain them. */
const unproven = new WeakSet<object>()

/** Runs a proof and records its failure. */
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
