/**
 * The command line's way to a running system: the address in runtime/http.json, the token beside it, and JSON. While the
 * system's process is being started again it waits; what may have been done already is never sent twice.
 * Every failure is a coded error; `not_reachable` means nothing runs there.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError, coded } from '../modules/lib/errors.ts'
import { isRunning } from '../modules/lib/lock.ts'
import { pathOf, type ApiAnswer, type ApiArguments, type ApiCall } from './api.ts'

export interface Address {
  url: string
  pid: number
  supervisor_pid: number
  token_file: string
}

export function readAddress(root: string): Address | undefined {
  try {
    return JSON.parse(readFileSync(join(root, 'runtime', 'http.json'), 'utf8')) as Address
  } catch {
    return undefined
  }
}

const RESTART_MS = 20_000
const LOOK_MS = 100

export class Client {
  address: Address
  private readonly root: string
  private readonly token: string
  private readonly restartMs: number

  /** `restartMs`: how long it waits for a system that is being started again. Throws `not_reachable` where none runs. */
  constructor(root: string, restartMs = RESTART_MS) {
    this.root = root
    this.restartMs = restartMs
    const address = readAddress(root)
    if (address === undefined) throw coded('not_reachable', { root })
    this.address = address
    try {
      this.token = readFileSync(address.token_file, 'utf8').trim()
    } catch {
      throw coded('not_reachable', { root })
    }
  }

  /** For the few calls that want it among their arguments: they may come from anywhere, and only this tells who asks. */
  get operatorToken(): string {
    return this.token
  }

  get<T>(path: string): Promise<T> {
    return this.request<T>('GET', path)
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.request<T>('POST', path, body)
  }

  /** A call of the API by its place in the table: `ask('POST /api/services/{api}/reload', {params: {api}})`. */
  ask<K extends ApiCall>(call: K, ...[given]: ApiArguments<K>): Promise<ApiAnswer<K>> {
    const [method = '', path = ''] = call.split(' ')
    const { params, query, body } = (given ?? {}) as { [part: string]: Record<string, unknown> | undefined }
    return this.request(method, pathOf(path, params, query), method === 'GET' ? undefined : (body ?? {}))
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body)
    const value = (await response.json()) as {
      error?: { code: string; message: string; hint: string; file?: string; line?: number; column?: number }
    }
    if (!response.ok) {
      const { error } = value
      if (error === undefined) throw coded('not_reachable', { root: this.root })
      throw Object.assign(new CodedError(error.code, error.message, error.hint), {
        file: error.file,
        line: error.line,
        column: error.column,
      })
    }
    return value as T
  }

  /** Server-sent events, one by one, until the server ends them or `signal` aborts. */
  async *events<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): AsyncGenerator<T> {
    const response = await this.send(method, path, body, signal)
    if (!response.ok || response.body === null) {
      const { error } = (await response.json()) as { error: { code: string; message: string; hint: string } }
      throw new CodedError(error.code, error.message, error.hint)
    }
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = block
          .split('\n')
          .filter((line) => line.startsWith('data: '))
          .map((line) => line.slice(6))
        if (data.length > 0) yield JSON.parse(data.join('\n')) as T
      }
    }
  }

  private async send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    for (const end = performance.now() + this.restartMs; ; await sleep(LOOK_MS)) {
      try {
        return await this.sendOnce(method, path, body, signal)
      } catch (error) {
        if (signal?.aborted === true) throw error
        const mayBeSent = method === 'GET' || wasNeverSent(error)
        if (!mayBeSent || performance.now() >= end || !isRunning(this.address.supervisor_pid))
          throw coded('not_reachable', { root: this.root }, {}, error)
        this.address = readAddress(this.root) ?? this.address
      }
    }
  }

  private sendOnce(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    return fetch(this.address.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
  }
}

/** Nobody listened. */
function wasNeverSent(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } }
  return cause?.code === 'ECONNREFUSED'
}
