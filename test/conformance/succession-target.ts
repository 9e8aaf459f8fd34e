/** The module that is watched while kernels change: state, gates, a held thing, timers, tasks, a subscriber. */

export const target = (mark: number): string => `
export class Module {
  constructor(kernel) {
    this.kernel = kernel
    this.count = 0
    this.gates = new Map()
    this.tell('constructed')
  }
  tell(what) { this.kernel.events.emit('test.' + what, { generation: this.kernel.generation }) }
  async init() {
    this.held = await this.kernel.hold('thing', (route) => ({ route }), () => this.tell('released'))
    this.kernel.own(() => this.tell('owned'), 'thing')
    this.kernel.every(10, () => { this.tell('turn') })
    this.kernel.events.on('test.ping', () => this.tell('pong'))
  }
  async run(signal) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    this.tell('asked')
    await new Promise((resolve) => setTimeout(resolve, this.linger ?? 0))
    this.tell('ended')
  }
  endLate(ms) { this.linger = ms }
  mark() { return ${mark} }
  next() { return ++this.count }
  wait(name) { return new Promise((resolve) => this.gates.set(name, resolve)) }
  open(name) { this.gates.get(name)?.('opened') }
  async *items() { for (let item = 0; ; item++) { await new Promise((resolve) => this.gates.set('item', resolve)); yield item } }
  thing() { return this.held }
  async sleep(ms) { await this.kernel.sleep(ms); return 'slept' }
  _inside() { return ${mark} }
  shutdown() { this.tell('shutdown') }
  fail() { throw new Error('no good') }
}
`

export interface Target {
  mark(): number
  next(): number
  wait(name: string): Promise<string>
  open(name: string): void
  items(): AsyncGenerator<number>
  thing(): { route: (method: string) => Promise<number> }
  sleep(ms: number): Promise<string>
  fail(): void
  endLate(ms: number): void
}

/** An instance of it, for a version no handle leads to any more. */
export interface Opens {
  open(name: string): void
}
