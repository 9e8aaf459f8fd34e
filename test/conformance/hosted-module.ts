/** A module without imports, as hosts are tried with: it hands its count over, and tells of its life by events. */

export const hosted = (mark: number, more = ''): string => `
class Base {
  constructor(kernel, config) {
    this.kernel = kernel
    this.config = config
    this.count = 0
    this.value = 7
    this.gates = new Map()
    this.gone = 0
    for (const name of ['released', 'second']) kernel.own(() => this.tell(name), name)
  }
  async tell(what) { this.kernel.events.emit('test.' + what, { generation: this.kernel.generation }) }
  echo(value) { return value }
  async later(ms, value) { await this.kernel.sleep(ms); return value }
  setting() { return this.config.setting }
  mark() { return ${mark} }
  fail(code) { throw Object.assign(new Error('no good'), { code }) }
  async reject() { throw new Error('not now') }
  wait(name) { return new Promise((resolve) => this.gates.set(name, resolve)) }
  open(name) { this.gates.get(name)('opened') }
  async *items(to) { for (let item = 1; item <= to; item++) { this.gone = item; yield item } }
  left() { return this.gone }
  async *broken() { throw Object.assign(new Error('it is torn'), { code: 'torn' }) }
  ask(api, method, ...args) { return this.kernel.getApi(api)[method](...args) }
  next() { return ++this.count }
  async nextSlowly() { await this.kernel.sleep(0); return ++this.count }
  late() {}
  _inside() { return 1 }
  handOver() { return { count: this.count } }
  takeOver(state) { this.count = state.count }
  shutdown() { return this.tell('shutdown') }
}
export class Module extends Base {
  ${more}
}
`

export interface Hosted {
  echo(value: unknown): unknown
  later(ms: number, value: unknown): Promise<unknown>
  setting(): unknown
  mark(): number
  fail(code: string): void
  reject(): Promise<void>
  wait(name: string): Promise<string>
  open(name: string): void
  items(to: number): AsyncGenerator<number>
  left(): number
  broken(): AsyncGenerator<number>
  ask(api: string, method: string, ...args: unknown[]): Promise<unknown>
  next(): number
  nextSlowly(): Promise<number>
  late(): void
}
