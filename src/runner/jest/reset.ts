/** `setupFilesAfterEnv: ['afresh/jest/reset']`. jest runs this again for every test file, in its realm. */
import ready from './setup.ts'

await ready()
