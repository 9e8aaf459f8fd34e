/**
 * That an asker has hung up, for the call that is made for it and that stops listening when it has ended. An
 * `AbortController` for each request would cost more than all the checks of the request: the response is listened to.
 */
import type { ServerResponse } from 'node:http'
import type { CallSignal } from '../../contracts/module.ts'

export class HangUp implements CallSignal {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  get aborted(): boolean {
    return this.#response.closed && !this.#response.writableFinished
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#response.once('close', listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#response.off('close', listener)
  }
}
