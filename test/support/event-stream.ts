/** A reader of server-sent events, as a browser is one: over a connection of its own, event by event. */
import { get, type IncomingMessage } from 'node:http'

export interface Told {
  id: number
  type: string
  time: number
  data: Record<string, unknown>
}

export interface Stream {
  readonly response: IncomingMessage
  readonly events: Told[]
  readonly text: () => string
  /** Resolves when an event of that type has come. */
  until(type: string): Promise<void>
  destroy(): void
}

/** Resolves when the server has said that the stream is open. */
export function openStream(url: string, headers: Record<string, string>): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<() => void>()
    const events: Told[] = []
    let text = ''
    let rest = ''
    const asked = get(url, { headers, agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const blocks = (rest + chunk.toString()).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (data !== undefined) events.push(JSON.parse(data) as Told)
        }
        for (const check of waiting) check()
      })
      const ended = new Promise<never>((_resolve, fail) => {
        response.once('close', () => fail(new Error(`the stream ended:\n${text}`)))
      })
      ended.catch(() => undefined)
      const until = (type: string): Promise<void> => {
        const found = new Promise<void>((done) => {
          const check = (): void => {
            if (events.some((event) => event.type === type)) done()
          }
          waiting.add(check)
          check()
        })
        return Promise.race([found, ended])
      }
      response.once('data', () =>
        resolve({ response, events, text: () => text, until, destroy: () => asked.destroy() }),
      )
    })
    asked.on('error', reject)
  })
}
