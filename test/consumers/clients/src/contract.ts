import { afterAll, expect, test } from 'vitest'

export interface User {
  id: number
  name: string
}

/** What each client is to do; it was opened once, when its module was loaded. */
export interface Users {
  all(): Promise<User[]>
  /** Returns the id. */
  add(name: string): Promise<number>
  rename(id: number, name: string): Promise<unknown>
  remove(id: number): Promise<unknown>
  close(): Promise<unknown>
}

const BASELINE = [
  { id: 1, name: 'Ada' },
  { id: 2, name: 'Bert' },
]

/** Each of these begins with what the others change, whatever the order. */
export function contract({ all, add, rename, remove, close }: Users): void {
  afterAll(close)
  for (const no of [1, 2]) {
    test(`adds one, the third (${no})`, async () => {
      expect(await all()).toEqual(BASELINE)
      expect(await add('Cleo')).toBe(3)
      expect(await all()).toEqual([...BASELINE, { id: 3, name: 'Cleo' }])
    })

    test(`renames Ada (${no})`, async () => {
      expect(await all()).toEqual(BASELINE)
      await rename(1, 'Ada L.')
      expect((await all())[0]).toEqual({ id: 1, name: 'Ada L.' })
    })

    test(`removes Bert (${no})`, async () => {
      expect(await all()).toEqual(BASELINE)
      await remove(2)
      expect(await all()).toEqual([BASELINE[0]])
    })
  }
}
