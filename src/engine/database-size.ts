export interface DatabaseSize {
  readonly bytes: number
  /** Estimated by the server. */
  readonly rows: number
  /** Rough estimate of the time to copy that much, from measurements on other machines. */
  readonly seconds: number
}
