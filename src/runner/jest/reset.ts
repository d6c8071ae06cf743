/** `setupFilesAfterEnv: ['afresh/jest/reset']`. jest runs this file anew for every test file, in a realm of its own. */
import ready from './setup.ts'

await ready()
