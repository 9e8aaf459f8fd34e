/** Readers of the event stream, by hand: one that reads, and one that does not. */
import { get, type IncomingMessage } from 'node:http'

/** `flood`: ten events every ten milliseconds, each with a large one beside it that only some subscribe to. */
export const CRIER = {
  'configs/crier.yml': 'prog: crier\n',
  'modules/crier.ts': `export class Module {
  constructor(kernel) { this.kernel = kernel }
  cry(type, data) { this.kernel.events.emit(type, data) }
  async flood(count) {
    const text = 'x'.repeat(4096)
    for (let n = 0; n < count; n++) {
      this.kernel.events.emit('tick.told', { n })
      this.kernel.events.emit('bulk.told', { n, text })
      if (n % 10 === 9) await this.kernel.sleep(10)
    }
  }
}
`,
}

export interface ToldEvent {
  id: number
  type: string
  time: number
  data: Record<string, unknown>
}

export interface EventReader {
  readonly response: IncomingMessage
  readonly events: ToldEvent[]
  /** when each came, by the clock of this process */
  readonly at: number[]
  readonly ended: () => boolean
  /** Resolves when an event fits; those that have come count. Rejects when the stream ends before. */
  until(fits: (event: ToldEvent) => boolean): Promise<ToldEvent>
  close(): void
}

export interface StreamAddress {
  port: number
  token: string
  query?: string
  lastId?: number
}

/** `paused`: it never reads a byte until its response is resumed. */
export function readEvents(address: StreamAddress, { paused = false } = {}): Promise<EventReader> {
  const { port, token, query = '', lastId } = address
  const headers = {
    authorization: `Bearer ${token}`,
    ...(lastId === undefined ? {} : { 'last-event-id': String(lastId) }),
  }
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path: `/api/events${query}`, headers, agent: false }, (response) => {
      const reader = readerOf(response, () => asked.destroy())
      if (paused) response.pause()
      resolve(reader)
    })
    asked.on('error', reject)
  })
}

function readerOf(response: IncomingMessage, close: () => void): EventReader {
  const events: ToldEvent[] = []
  const at: number[] = []
  const waiting = new Set<() => void>()
  let ended = false
  let rest = ''
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data === undefined) continue
      events.push(JSON.parse(data) as ToldEvent)
      at.push(performance.now())
    }
    for (const check of waiting) check()
  })
  response.on('close', () => {
    ended = true
    for (const check of waiting) check()
  })
  response.on('error', () => undefined)
  const until: EventReader['until'] = (fits) =>
    new Promise((resolve, reject) => {
      let seen = 0
      const check = (): void => {
        for (; seen < events.length; seen++) {
          const event = events[seen]
          if (event === undefined || !fits(event)) continue
          waiting.delete(check)
          resolve(event)
          return
        }
        if (ended) reject(new Error('the stream ended'))
      }
      waiting.add(check)
      check()
    })
  return { response, events, at, ended: () => ended, until, close }
}
