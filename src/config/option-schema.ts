import { URL_PARTS } from '../engine/environment.ts'
import type { Progress } from '../util/progress.ts'
import * as z from '../util/validation.ts'

const text = z.string().check(z.minLength(1))

const steps = z.union(
  [
    text,
    z.array(text),
    z.strictObject({ command: text, inputs: z.optional(z.union([text, z.array(text)])) }),
    z.custom<() => void>((value) => typeof value === 'function'),
  ],
  { error: 'expected a function, a path or glob, a list of them, or { command }' },
)

const paths = z.union([text, z.array(text)], { error: 'expected a path or glob, or a list of them' })

const attachShape = {
  strategy: z.optional(z.enum(['delete', 'truncate', 'auto', 'rollback'])),
  sequences: z.optional(z.enum(['restart', 'keep', 'spread'])),
  keep: z.optional(z.array(text)),
  lockTimeoutMs: z.optional(z.int().check(z.positive(), z.maximum(600_000))),
  detector: z.optional(z.enum(['auto', 'wal', 'counters', 'scan'])),
  crossCheck: z.optional(z.boolean()),
  allow: z.optional(
    z.array(z.string().check(z.regex(/^.+:\d+#.+$/, 'expected host:port#system_identifier'))),
  ),
  fixtureSets: z.optional(z.record(text, paths)),
}

/** Of `HarnessOptions`. */
export const harnessSchema = z.strictObject({
  ...attachShape,
  server: z.optional(
    z.union([text, z.looseObject({ kind: z.enum(['container', 'embedded', 'existing']) })], {
      error:
        "expected container(…), embedded(), existing(url), an image such as 'postgres:18', 'embedded' or a URL",
    }),
  ),
  migrate: z.optional(steps),
  fixtures: z.optional(steps),
  fingerprint: z.optional(text),
  env: z.optional(
    z.record(
      z.string().check(z.regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable')),
      z.enum(URL_PARTS),
    ),
  ),
  project: z.optional(text),
  cwd: z.optional(text),
  leaks: z.optional(z.enum(['fail', 'end', 'ignore'])),
  otherDatabases: z.optional(
    z.union([z.enum(['fail', 'warn', 'ignore']), z.array(text)], {
      error: "expected 'fail', 'warn', 'ignore' or a list of names of databases",
    }),
  ),
  keepFailed: z.optional(z.int().check(z.minimum(0), z.maximum(100))),
  writes: z.optional(z.union([z.boolean(), text])),
  progress: z.optional(
    z.union([z.literal(false), z.custom<Progress>((value) => typeof value === 'function')], {
      error: 'expected a function or false',
    }),
  ),
})

/** Of `AttachOptions`. */
export const attachSchema = z.strictObject(attachShape)
