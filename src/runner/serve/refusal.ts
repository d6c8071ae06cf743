import { AfreshError, type ErrorCode, messageOf } from '../../errors.ts'

/** What a reply says of a request that was not done. */
export interface Problem {
  readonly code: ErrorCode | HttpCode
  readonly message: string
  readonly next?: string | undefined
}

type HttpCode =
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'method'
  | 'too-large'
  | 'media-type'
  | 'internal'

/** A request that cannot be done, with the status of its reply. */
export class Refusal extends Error {
  readonly status: number
  readonly code: Problem['code']

  constructor(status: number, code: Problem['code'], message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  usage: 400,
  refused: 403,
  blocked: 409,
  leak: 409,
  baseline: 422,
  plan: 422,
  erase: 422,
  reset: 500,
  server: 503,
}

export function problemOf(error: unknown): { readonly status: number; readonly problem: Problem } {
  if (error instanceof Refusal) {
    return { status: error.status, problem: { code: error.code, message: error.message } }
  }
  if (!(error instanceof AfreshError)) {
    return { status: 500, problem: { code: 'internal', message: messageOf(error) } }
  }
  const { code, next } = error
  const message = error.message.replace(next === undefined ? '' : `\n  → ${next}`, '')
  return { status: STATUS[code], problem: { code, message, next } }
}
