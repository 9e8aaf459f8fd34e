/**
 * Answers that are ready in one turn of the event loop leave together at its end. Each write may wake a client that
 * waits for it, which costs as much as the rest of its request: written right after one another, the first wakes it for
 * all. An answer that is alone leaves no later than it would have.
 */
import type { ServerResponse } from 'node:http'
import type { Sent } from './answer.ts'

/** More are not kept back: the first of them should not wait for all requests of a flood. */
const READY_MAX = 32

export class Outbox {
  #ready: { response: ServerResponse; sent: Sent }[] = []

  send(response: ServerResponse, sent: Sent): void {
    const count = this.#ready.push({ response, sent })
    if (count === 1) setImmediate(() => this.#flush())
    if (count === READY_MAX) this.#flush()
  }

  #flush(): void {
    for (const { response, sent } of this.#ready.splice(0)) write(response, sent)
  }
}

function write(response: ServerResponse, { status, headers, text }: Sent): void {
  // What has begun to flow can only be broken off.
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.statusCode = status
  for (const name of Object.keys(headers)) response.setHeader(name, headers[name] ?? '')
  response.end(text)
}
