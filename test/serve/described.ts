/** A client that compares each request and reply with the OpenAPI document. */
import { readFileSync } from 'node:fs'
import { type Agent, request } from 'node:http'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

const DOCUMENT_FILE = join(import.meta.dirname, '../../docs/openapi.json')

interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>
}
type Content = Readonly<Record<string, { readonly schema: object }>>
type PathItem = Readonly<Record<string, Operation>>

export interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: {
    readonly responses: Readonly<Record<string, { readonly content: Content }>>
    readonly schemas: Readonly<Record<string, object>>
  }
}

export const openApi = JSON.parse(readFileSync(DOCUMENT_FILE, 'utf8')) as Document

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, formats: { 'date-time': isTime } })
ajv.addVocabulary(['components', 'paths', 'openapi', 'info', 'servers', 'security'])
ajv.addSchema(openApi, 'openapi.json')

function isTime(text: string): boolean {
  return new Date(text).toISOString() === text
}

const validators = new Map<string, ValidateFunction>()

/** What is wrong with a value; empty if it is as the schema says. */
export function problemsOf(schema: object, value: unknown): string {
  const text = JSON.stringify(schema).replaceAll('"#/', '"openapi.json#/')
  const validate = validators.get(text) ?? ajv.compile(JSON.parse(text) as object)
  validators.set(text, validate)
  return validate(value) ? '' : ajv.errorsText(validate.errors)
}

/** `POST /v1/leases/{id}/reset 200`, of all requests that were made. */
export const covered = new Set<string>()

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: JSON, which the document has described
  readonly body: any
}

export interface Target {
  readonly server: string
  readonly token: string
}

/** Sends a request, and compares it and its reply with the document. */
export async function call(
  { server, token }: Target,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  agent?: Agent,
): Promise<Answer> {
  const answer = await send(server, { method, path, token, body, agent })
  const template = Object.keys(openApi.paths).find((known) =>
    new RegExp(`^${known.replace('{id}', '[^/]+')}$`).test(path.replace(/\?.*$/, '')),
  )
  const operation = openApi.paths[template ?? '']?.[method.toLowerCase()]
  if (operation === undefined) return answer
  covered.add(`${method} ${template} ${answer.status}`)
  const described = operation.responses[answer.status] ?? operation.responses.default
  const reference = described?.$ref?.split('/').at(-1)
  const response = reference === undefined ? described : openApi.components.responses[reference]
  const wanted = response?.content?.['application/json']?.schema
  const problem =
    wanted === undefined
      ? answer.body === undefined
        ? ''
        : 'no body is described'
      : problemsOf(wanted, answer.body)
  if (problem !== '')
    throw new Error(`${method} ${path} ${answer.status}: ${problem}\n${JSON.stringify(answer.body)}`)
  const given = operation.requestBody?.content['application/json']?.schema
  const fits = given === undefined || problemsOf(given, body ?? {}) === ''
  if (answer.status < 300 !== (fits && answer.status < 300)) {
    throw new Error(`${method} ${path}: the document does not allow what was done: ${JSON.stringify(body)}`)
  }
  return answer
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly token?: string | undefined
  readonly body?: unknown
  readonly agent?: Agent | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export function send(server: string, { method, path, token, body, agent, headers }: Sent): Promise<Answer> {
  const socketPath = server.startsWith('unix:') ? server.slice('unix:'.length) : undefined
  const url = socketPath === undefined ? new URL(server) : undefined
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...(socketPath === undefined
          ? { host: url?.hostname.replace(/^\[|\]$/g, ''), port: url?.port }
          : { socketPath }),
        method,
        path,
        agent,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(text !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          }),
          ...headers,
        },
      },
      (response) => {
        let received = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          received += chunk
        })
        response.once('error', reject)
        response.once('end', () => {
          const body: unknown = received === '' ? undefined : JSON.parse(received)
          resolve({ status: response.statusCode ?? 0, body })
        })
      },
    )
    sent.once('error', reject)
    sent.end(text)
  })
}
