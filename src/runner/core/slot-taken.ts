import { AfreshError } from '../../errors.ts'

export function slotTaken(slot: number): AfreshError {
  return new AfreshError('server', `The database of worker ${slot} is leased by another process.`, {
    next: 'Start the tests again; if this goes on, end processes of earlier runs.',
  })
}
