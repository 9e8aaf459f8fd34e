/**
 * Open event streams (SSE), held by the service over its versions: a reader notices nothing of a reload. Events carry
 * growing ids, so that two versions telling the same event send it once, and a reader that comes back with
 * `Last-Event-ID` gets what it missed. What is told goes out in one piece every few milliseconds, written once for all
 * readers that want the same; one that does not take it is cut off and told why, and delays nobody.
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

/** Why a reader was cut off, as it is told itself and in the event `http.stream_cut`. */
export interface Cut {
  reason: string
  buffered_bytes: number
  last_id: number
}

/** Ids of events that are not kept any more; `restarted`: they are of a process that has ended. */
export interface Gap {
  from: number
  to: number
  restarted: boolean
}

/** Runs work later, on the clock of the version that is live. */
export type Pace = (work: () => void, ms: number) => void

/** A reader that has not taken more than this is cut off: it comes back with its last id. */
const BUFFERED_BYTES_MAX = 1_048_576
const HEARTBEAT_MS = 15_000
/** How long what is told may wait for more, so that a flood is a few large writes. */
const FLUSH_MS = 10
/** For the last words to one that is cut off. */
const LAST_WORDS_MS = 2_000

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

/** About the stream itself: without an id, so that what a reader comes back with stays the id of an event. */
const noteOf = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, data })}\n\n`

export class EventStreams {
  /** replaced by the version that is live */
  pace: Pace = (work) => setImmediate(work)
  onCut: (cut: Cut) => void = () => {}
  private readonly readers = new Set<Reader>()
  private readonly told: MachineEvent[] = []
  private lastId = 0
  private flushing = false

  get size(): number {
    return this.readers.size
  }

  /**
   * Returns the function that delivers what was missed; until it is called, new events wait behind it. Without `since`
   * the stream begins with what comes.
   */
  add(
    response: ServerResponse,
    patterns: string[],
    since = this.lastId,
  ): (missed: readonly MachineEvent[], gap?: Gap) => void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no',
    })
    response.write(': open\n\n')
    const reader: Reader = { response, patterns, lastId: since, waiting: [] }
    this.readers.add(reader)
    response.on('close', () => this.readers.delete(reader))
    return (missed, gap) => {
      if (gap !== undefined) response.write(noteOf('stream.missed', gap))
      const waiting = reader.waiting ?? []
      reader.waiting = undefined
      this.send(reader, [...missed, ...waiting])
    }
  }

  broadcast(event: MachineEvent): void {
    if (event.id <= this.lastId) return
    this.lastId = event.id
    if (this.readers.size === 0) return
    this.told.push(event)
    if (this.flushing) return
    this.flushing = true
    this.pace(() => this.flush(), FLUSH_MS)
  }

  private flush(): void {
    this.flushing = false
    const told = this.told.splice(0)
    // Readers that want the same and stand at the same place get the same bytes.
    const pieces = new Map<string, Buffer>()
    for (const reader of this.readers) {
      if (reader.waiting !== undefined) reader.waiting.push(...told)
      else if (reader.response.writableLength > BUFFERED_BYTES_MAX) this.cut(reader)
      else this.send(reader, told, pieces)
    }
  }

  private send(reader: Reader, events: readonly MachineEvent[], pieces?: Map<string, Buffer>): void {
    const key = `${reader.lastId} ${reader.patterns.join(',')}`
    const known = pieces?.get(key)
    const piece = known ?? pieceOf(reader, events)
    if (known === undefined) pieces?.set(key, piece)
    reader.lastId = Math.max(reader.lastId, events.at(-1)?.id ?? 0)
    if (piece.length > 0) reader.response.write(piece)
  }

  private cut(reader: Reader): void {
    const { response, lastId } = reader
    this.readers.delete(reader)
    const cut = { reason: 'it reads too slowly', buffered_bytes: response.writableLength, last_id: lastId }
    response.end(noteOf('stream.cut', cut))
    this.pace(() => response.destroy(), LAST_WORDS_MS)
    this.onCut(cut)
  }

  /** Comments keep proxies from closing a quiet stream. */
  startHeartbeat(every: (ms: number, work: () => void) => Release): Release {
    return every(HEARTBEAT_MS, () => {
      for (const { response } of this.readers) if (response.writableLength === 0) response.write(': still here\n\n')
    })
  }

  close(): void {
    this.flush()
    for (const { response } of this.readers) response.end()
    this.readers.clear()
  }
}

/** Two versions may tell of the same event: each id goes out once, and none after a greater one. */
function pieceOf({ lastId, patterns }: Reader, events: readonly MachineEvent[]): Buffer {
  let last = lastId
  let text = ''
  for (const event of events) {
    if (event.id <= last) continue
    last = event.id
    if (patterns.some((pattern) => matches(pattern, event.type))) text += frameOf(event)
  }
  return Buffer.from(text)
}
