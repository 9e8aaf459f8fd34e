/** A system with its HTTP API, asked as a stranger's program would: one request, exactly as written. */
import { chmodSync } from 'node:fs'
import { request, type Agent, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { createRoot } from './root.ts'
import { startSystem, type TestSystem } from './system.ts'

export interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** the body as JSON, `{}` when it is none */
  body: Record<string, unknown> & { error?: { code: string; message: string; field?: string; expected?: string } }
}

export interface HttpRequest {
  body?: unknown
  headers?: Record<string, string>
  /** another than the system's own; `null`: none */
  token?: string | null
  agent?: Agent
}

export interface HttpSystem {
  readonly system: TestSystem
  readonly url: string
  readonly port: number
  readonly token: string
  ask(method: string, path: string, more?: HttpRequest): Promise<HttpAnswer>
  call(api: string, method: string, args?: unknown[], more?: HttpRequest): Promise<HttpAnswer>
}

/** A secret as a config names it: `secret:NAME`. */
export const secretOf = (name: string): string => `${name}-`.padEnd(40, '0')

/** `config`: further lines of configs/http.yml. `secrets`: names of files under runtime/secrets. */
export async function serveHttp(
  files: Record<string, string> = {},
  { config = '', secrets = [] }: { config?: string; secrets?: string[] } = {},
): Promise<HttpSystem> {
  const root = createRoot({ 'configs/http.yml': `prog: services/http\nport: 0\n${config}`, ...files })
  for (const name of secrets) {
    root.write(`runtime/secrets/${name}`, `${secretOf(name)}\n`)
    chmodSync(join(root.path, 'runtime', 'secrets', name), 0o600)
  }
  const system = await startSystem(root)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const token = system.root.read('runtime/token').trim()
  const port = Number(new URL(url).port)
  const ask: HttpSystem['ask'] = (method, path, more = {}) => send(port, token, method, path, more)
  const call: HttpSystem['call'] = (api, method, args = [], more = {}) =>
    ask('POST', `/api/services/${encodeURIComponent(api)}/call`, { ...more, body: { method, args } })
  return { system, url, port, token, ask, call }
}

function send(port: number, own: string, method: string, path: string, more: HttpRequest): Promise<HttpAnswer> {
  const { body, headers = {}, token = own, agent = false } = more
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const all = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...headers,
  }
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers: all, agent }, (response) => {
      let got = ''
      response.on('data', (chunk: Buffer) => (got += chunk.toString()))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: got, body: jsonIn(got) }),
      )
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(text)
  })
}

const jsonIn = (text: string): HttpAnswer['body'] =>
  text.startsWith('{') ? (JSON.parse(text) as HttpAnswer['body']) : {}

export const outcome = ({ status, body }: HttpAnswer): [number, string | undefined] => [status, body.error?.code]
