/**
 * Open event streams (SSE), held by the service over its versions: a reader notices nothing of a reload. Events carry
 * growing ids, so that two versions telling the same event send it once, and a reader that comes back with
 * `Last-Event-ID` gets what it missed.
 */
import type { ServerResponse } from 'node:http'
import type { MachineEvent, Release } from '../../contracts/module.ts'
import { toErrorData } from '../../lib/errors.ts'
import { plainText } from '../../lib/plain-json.ts'

interface Reader {
  response: ServerResponse
  patterns: string[]
  lastId: number
  /** events that came while the missed ones were being read */
  waiting: MachineEvent[] | undefined
}

/** A reader that cannot take more than this is cut off: it comes back with its last id. */
const BUFFERED_BYTES_MAX = 1_048_576
const HEARTBEAT_MS = 15_000

const matches = (pattern: string, type: string): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))

/** A line break ends a field, so a type may not carry one out. Data that JSON cannot hold is told as such. */
function frameOf(event: MachineEvent): string {
  const type = event.type.replaceAll(/[\r\n]+/g, ' ')
  return `id: ${event.id}\nevent: ${type}\ndata: ${dataOf(event)}\n\n`
}

function dataOf(event: MachineEvent): string {
  const source = { api: 'kernel', method: 'events' }
  try {
    return plainText(event, source)
  } catch (error) {
    return plainText({ ...event, data: { error: toErrorData(error) } }, source)
  }
}

export class EventStreams {
  private readonly readers = new Set<Reader>()

  get size(): number {
    return this.readers.size
  }

  /** Returns the function that delivers what was missed; until it is called, new events wait behind it. */
  add(response: ServerResponse, patterns: string[]): (missed: readonly MachineEvent[]) => void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    response.write(': open\n\n')
    const reader: Reader = { response, patterns, lastId: 0, waiting: [] }
    this.readers.add(reader)
    response.on('close', () => this.readers.delete(reader))
    return (missed) => {
      const waiting = reader.waiting ?? []
      reader.waiting = undefined
      for (const event of [...missed, ...waiting]) this.send(reader, event)
    }
  }

  broadcast(event: MachineEvent): void {
    for (const reader of this.readers) this.send(reader, event)
  }

  private send(reader: Reader, event: MachineEvent): void {
    if (reader.waiting !== undefined) {
      reader.waiting.push(event)
      return
    }
    if (event.id <= reader.lastId) return
    reader.lastId = event.id
    if (!reader.patterns.some((pattern) => matches(pattern, event.type))) return
    reader.response.write(frameOf(event))
    if (reader.response.writableLength > BUFFERED_BYTES_MAX) reader.response.destroy()
  }

  /** Comments keep proxies from closing a quiet stream. */
  startHeartbeat(every: (ms: number, work: () => void) => Release): Release {
    return every(HEARTBEAT_MS, () => {
      for (const { response } of this.readers) response.write(': still here\n\n')
    })
  }

  close(): void {
    for (const { response } of this.readers) response.end()
    this.readers.clear()
  }
}
