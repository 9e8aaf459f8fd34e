/**
 * Abort signals that cross. Each has a number; when it aborts on the side it comes from, the other is told. It is known as
 * long as the question it came with is open, or the stream that was opened with it. Used on both sides of the boundary.
 */
import type { SignalPort } from './codec.ts'
import { Table } from './primordials.ts'

export interface SignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface SignalsOptions {
  isSignal(value: object): boolean
  create(): { readonly signal: unknown; abort(): void }
  /** The other side is to abort it. */
  tell(id: number): void
}

/** What one question holds of them. */
export interface Held {
  release(): void
}

export class Signals implements SignalPort {
  private readonly options: SignalsOptions
  private readonly incoming = new Table<{ abort(): void }>()
  private readonly streams = new Table<Held>()
  private fresh: (() => void)[] = []
  private lastId = 0

  constructor(options: SignalsOptions) {
    this.options = options
  }

  out(value: object): { id: number; aborted: boolean } | undefined {
    if (!this.options.isSignal(value)) return undefined
    const signal = value as SignalLike
    const id = ++this.lastId
    const listener = (): void => this.options.tell(id)
    if (!signal.aborted) {
      signal.addEventListener('abort', listener)
      this.fresh[this.fresh.length] = () => signal.removeEventListener('abort', listener)
    }
    return { id, aborted: signal.aborted }
  }

  in(id: number, aborted: boolean): unknown {
    const controller = this.options.create()
    if (aborted) controller.abort()
    else {
      this.incoming.set(id, controller)
      this.fresh[this.fresh.length] = () => void this.incoming.take(id)
    }
    return controller.signal
  }

  abort(id: number): void {
    this.incoming.take(id)?.abort()
  }

  /** The signals that crossed since this was asked last. */
  claim(): Held | undefined {
    const { fresh } = this
    if (fresh.length === 0) return undefined
    this.fresh = []
    return {
      release: () => {
        for (let index = 0; index < fresh.length; index++) fresh[index]?.()
      },
    }
  }

  /** The question has its answer: a stream that was opened by it goes on. */
  settled(held: Held | undefined, kind: string, what: unknown): void {
    const stream = (what as { stream?: number } | null)?.stream
    if (kind === 'open' && held !== undefined && stream !== undefined) this.streams.set(stream, held)
    else held?.release()
    if (kind === 'close' && stream !== undefined) this.streams.take(stream)?.release()
  }
}
