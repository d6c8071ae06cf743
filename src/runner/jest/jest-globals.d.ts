/** As much of jest as is used here, in versions 29 and 30: it gives this module to its test files itself. */
declare module '@jest/globals' {
  type Hook = (hook: () => unknown, timeoutMs?: number) => void
  export const beforeAll: Hook
  export const beforeEach: Hook
  export const afterEach: Hook
  export const test: { concurrent: object }
  export const expect: { getState(): { readonly testPath?: string; readonly currentTestName?: string } }
}
