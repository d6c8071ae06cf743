/** Zod's small variant, which bundles to a part of the whole, with the English messages that it comes without. */
import { en } from 'zod/locales'
import { config } from 'zod/mini'

export * from 'zod/mini'

config(en())
