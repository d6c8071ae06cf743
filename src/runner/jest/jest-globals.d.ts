/** The parts of jest 29 and 30 that afresh uses. jest provides this module to test files itself. */
declare module '@jest/globals' {
  type Hook = (hook: () => unknown, timeoutMs?: number) => void
  export const afterAll: Hook
  export const beforeAll: Hook
  export const beforeEach: Hook
  export const afterEach: Hook
  export const test: { concurrent: object }
  export const expect: { getState(): { readonly testPath?: string; readonly currentTestName?: string } }
}
