import type { Variant } from '../../src/bench/measure.ts'
import type { Random } from '../../src/generate/random.ts'
import { type Client, connect } from '../client.ts'
import { dirtSql, leftovers, pickDirty, REFERENCE_DIRT, referenceLeftovers } from '../schema.ts'
import type { Method, MethodContext, OpenMethod } from './method.ts'
import { refillSql } from './methods.ts'

/** Runs one method: writes as a test does, resets, and checks what remains. */
export class TestRun implements AsyncDisposable {
  readonly method: Method
  readonly #context: MethodContext
  readonly #open: OpenMethod
  #writer: Client

  private constructor(method: Method, context: MethodContext, open: OpenMethod, writer: Client) {
    this.method = method
    this.#context = context
    this.#open = open
    this.#writer = writer
  }

  static async begin(method: Method, context: MethodContext): Promise<TestRun> {
    const open = await method.open(context)
    return new TestRun(method, context, open, open.client ?? (await connect(open.url())))
  }

  contender(random: Random, dirty: number): Variant {
    return {
      id: this.method.id,
      round: () => this.#round(pickDirty(random, this.#context.tables.length, dirty)),
    }
  }

  /**
   * A test and its reset. Returns the milliseconds of the reset alone. Before it, each method resets a clean
   * database, as in a test run: its connection is warm, and the writes of other methods since its last turn
   * are accounted for.
   */
  async #round(dirty: readonly number[]): Promise<number> {
    await this.#open.begin?.()
    await this.#reset([])
    await this.#open.begin?.()
    await this.#write(dirty)
    return this.#reset(dirty)
  }

  /** Returns its milliseconds. */
  async #reset(dirty: readonly number[]): Promise<number> {
    const start = performance.now()
    await this.#open.reset(dirty)
    const took = performance.now() - start
    if (this.#open.swaps) await this.#connectAgain()
    return took
  }

  async #write(dirty: readonly number[]): Promise<void> {
    // No reset would ever delete its rows.
    if (this.method.kind === 'floor') return
    if (dirty.length > 0) await this.#writer.run(dirtSql(dirty))
    if (this.#context.hasReference) await this.#writer.run(REFERENCE_DIRT)
  }

  async #connectAgain(): Promise<void> {
    await this.#writer.close()
    this.#writer = await connect(this.#open.url())
  }

  /** What one reset does not restore, in words. */
  async leaves(random: Random, dirty: number): Promise<string[]> {
    if (this.method.kind === 'floor') return []
    const tables = pickDirty(random, this.#context.tables.length, dirty)
    await this.#round(tables)
    const left = this.#context.hasReference ? await this.#referenceLeft() : []
    // The probe is one more test: otherwise hand-written SQL would not know of its row.
    await this.#open.begin?.()
    left.push(...(await leftovers(this.#writer, tables)))
    if (this.#context.hasReference) await this.#writer.run(REFERENCE_DIRT)
    await this.#reset(tables)
    if (this.#open.client !== undefined) left.push('writes of other connections')
    return left
  }

  /** Restores missing rows afterwards, for the next round. */
  async #referenceLeft(): Promise<string[]> {
    const left = await referenceLeftovers(this.#writer)
    if (left.length > 0) await this.#writer.run(refillSql(this.#context.engine))
    return left
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.close()
    await this.#writer.close()
  }
}
