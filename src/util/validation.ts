/** Zod Mini, which tree-shakes better than Zod. It has no error messages, so add the English ones. */
import { en } from 'zod/locales'
import { config } from 'zod/mini'

export * from 'zod/mini'

config(en())
