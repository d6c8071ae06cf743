/** In: parsed JSON. Out: the same as the body of a request, with a type. `docs/openapi.json` says the same. */
import type { EraseOptions } from '../../erase/options.ts'
import type { Where } from '../../erase/where.ts'
import * as z from '../../util/validation.ts'
import { Refusal } from './refusal.ts'

/** Databases of one service: each has a session on the server. */
export const MOST_LEASES = 256
const LONGEST_TTL_S = 86_400

const text = (longest: number) => z.string().check(z.minLength(1), z.maxLength(longest))
const name = text(200)
const test = z.optional(text(1_000))
const actions = z.enum(['cascade', 'set null', 'set default', 'restrict'])
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

const BODIES = {
  nothing: z.strictObject({}),
  lease: z.strictObject({
    worker: z.optional(z.int().check(z.minimum(1), z.maximum(MOST_LEASES))),
    client: z.optional(name),
    ttlSeconds: z.optional(z.int().check(z.minimum(1), z.maximum(LONGEST_TTL_S))),
    endsWithConnection: z.optional(z.boolean()),
  }),
  test: z.strictObject({ test }),
  snapshot: z.strictObject({ name }),
  restore: z.strictObject({ name, test }),
  load: z.strictObject({ set: name }),
  erase: z.strictObject({
    table: name,
    where: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]),
    cascade: z.optional(z.enum(['error', 'follow', 'declared'])),
    onDelete: z.optional(z.record(z.string(), actions)),
    dryRun: z.optional(z.boolean()),
    max: z.optional(z.int().check(z.minimum(0))),
    softDelete: z.optional(
      z.strictObject({ column: name, value: z.optional(scalar), live: z.optional(scalar) }),
    ),
    archive: z.optional(z.boolean()),
  }),
} as const

export type BodyName = keyof typeof BODIES
export type Body<Name extends BodyName> = z.infer<(typeof BODIES)[Name]>

/** @throws Refusal 400 that lists every problem */
export function bodyAs<Name extends BodyName>(kind: Name, value: unknown): Body<Name> {
  const result = BODIES[kind].safeParse(value)
  if (result.success) return result.data as Body<Name>
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw new Refusal(400, 'usage', problems.join('; '))
}

/** What the condition and the options may contain is checked again where they are used. */
export function eraseArguments({ table, where, ...options }: Body<'erase'>): [string, Where, EraseOptions] {
  return [table, where as Where, options as EraseOptions]
}
