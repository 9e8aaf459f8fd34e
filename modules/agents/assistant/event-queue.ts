/** Between a turn and whoever reads its events: the turn never waits for its reader. Bounded by the turn's own limits. */
export class EventQueue<T> {
  private readonly items: T[] = []
  private wake: (() => void) | undefined
  private ended = false
  private failure: { thrown: unknown } | undefined

  push(item: T): void {
    this.items.push(item)
    this.wake?.()
  }

  end(): void {
    this.ended = true
    this.wake?.()
  }

  /** What came before is still read. */
  fail(thrown: unknown): void {
    this.failure = { thrown }
    this.end()
  }

  async *read(): AsyncGenerator<T> {
    for (;;) {
      for (let item = this.items.shift(); item !== undefined; item = this.items.shift()) yield item
      if (this.failure !== undefined) throw this.failure.thrown
      if (this.ended) return
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}
