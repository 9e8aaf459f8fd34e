/** Calls: what a handle gives, what is refused, what waits, what is counted. */
import { afterEach, expect, it } from 'vitest'
import type { DetailedResult, Handle } from '../../modules/contracts/module.ts'
import { rejection } from '../support/system.ts'
import { startBench, type Bench, type MakeKernel } from './bench.ts'

const TARGET = `
export class Module {
  constructor(kernel) { this.kernel = kernel; this.value = 7; this.open = new Map() }
  add(a, b) { return a + b }
  async later(ms, value) { await this.kernel.sleep(ms); return value }
  nothing() {}
  fail() { throw Object.assign(new Error('no good'), { code: 'my_code' }) }
  async reject() { throw new Error('not now') }
  hang(name) { return new Promise((resolve) => this.open.set(name, resolve)) }
  free(name) { this.open.get(name)('freed') }
  async *count(to) { for (let item = 1; item <= to; item++) yield item }
  async *endless() { try { for (let item = 0; ; item++) { await this.kernel.sleep(1); yield item } } finally { this.left = true } }
  hasLeft() { return this.left === true }
  foreign() { return { then: (resolve) => resolve('from elsewhere') } }
  _hidden() { return 1 }
  init() {}
  getAspect(name) { return name === 'other' ? { twice: (value) => value * 2 } : undefined }
}
`

interface Target {
  add(a: number, b: number): number
  later(ms: number, value: unknown): Promise<unknown>
  nothing(): void
  fail(): void
  reject(): Promise<void>
  hang(name: string): Promise<string>
  free(name: string): void
  count(to: number): AsyncGenerator<number>
  endless(): AsyncGenerator<number>
  hasLeft(): boolean
  foreign(): unknown
}

export function callPromises(make: MakeKernel): void {
  let bench: Bench
  afterEach(() => bench.dispose())

  const start = async (files: Record<string, string> = {}): Promise<Handle<Target>> => {
    bench = await startBench(make, { 'configs/target.yml': '', 'modules/target.ts': TARGET, ...files })
    return bench.getApi<Target>('target')
  }
  const any = (handle: object): Record<string, (...args: unknown[]) => Promise<unknown>> => handle as never
  const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code

  it('a call gives a promise of the result, whatever the method returns', async () => {
    const target = await start()
    const sum = target.add(1, 2)
    expect(sum).toBeInstanceOf(Promise)
    expect(await sum).toBe(3)
    expect(await target.later(1, 'x')).toBe('x')
    expect(await target.nothing()).toBe(undefined)
    expect(await target.foreign()).toBe('from elsewhere')
  })

  it("the callee's own error reaches the caller with its code, and is counted", async () => {
    const target = await start()
    expect(await rejection(target.fail())).toMatchObject({ code: 'my_code', message: 'no good' })
    expect((await rejection(target.reject())).message).toBe('not now')
    expect(await bench.system.show('target')).toMatchObject({ calls: 2, errors: 2, state: 'live' })
    void target.reject()
    await target.nothing()
    expect((await bench.kernel.health()).unattributed_faults).toBe(0)
  })

  it('what a service does not offer is refused by name', async () => {
    const target = any(await start())
    expect(await codeOf(target['sum']?.() as Promise<unknown>)).toBe('method_not_found')
    expect(await codeOf(target['value']?.() as Promise<unknown>)).toBe('not_a_method')
    expect(await codeOf(target['_hidden']?.() as Promise<unknown>)).toBe('private_member')
    expect(await codeOf(target['init']?.() as Promise<unknown>)).toBe('lifecycle_member')
    expect(await codeOf(any(bench.getApi('nobody'))['hello']?.() as Promise<unknown>)).toBe('service_not_found')
    const missing = any((target as unknown as Handle<Target>).as('nowhere'))
    expect(await codeOf(missing['twice']?.() as Promise<unknown>)).toBe('aspect_not_found')
  })

  it('a handle is no promise, prints its name, and has another for each aspect', async () => {
    const target = await start()
    expect((target as unknown as { then?: unknown }).then).toBe(undefined)
    expect(String(target)).toBe('[handle target]')
    expect(await target.as<{ twice(value: number): number }>('other').twice(4)).toBe(8)
    expect(bench.getApi('target')).toBe(target)
  })

  it('streams come item by item, and end when their reader leaves', async () => {
    const target = await start()
    const seen: number[] = []
    for await (const item of target.count(3)) seen.push(item)
    expect(seen).toEqual([1, 2, 3])
    for await (const item of target.endless()) if (item === 2) break
    expect(await target.hasLeft()).toBe(true)
    expect((await bench.system.show('target')).in_flight).toBe(0)
  })

  it('a call may carry a deadline, a signal, a trace, and tell who answered', async () => {
    const target = await start()
    expect(await codeOf(target.with({ deadlineMs: 20 }).hang('a'))).toBe('deadline_exceeded')
    const stop = new AbortController()
    const aborted = codeOf(target.with({ signal: stop.signal }).hang('b'))
    stop.abort()
    expect(await aborted).toBe('call_aborted')
    expect(await codeOf(target.with({ signal: stop.signal }).add(1, 1))).toBe('call_aborted')
    const detailed = (await target.with({ trace: 't1', detail: true })['add']?.(1, 2)) as DetailedResult
    const { source_hash: sourceHash, config_hash: configHash } = await bench.system.show('target')
    expect(detailed).toEqual({ result: 3, generation: 1, sourceHash, configHash, traceId: 't1' })
    const other = target.with({ deadlineMs: 1_000 }).as<{ twice(value: number): number }>('other')
    expect(await other.twice(2)).toBe(4)
    expect((await bench.system.show('target')).in_flight).toBe(2)
  })

  it('what is under way and what has been is counted, for the handle and for the service', async () => {
    const target = await start()
    const open = target.hang('one')
    await target.add(1, 1)
    const named = { api: 'target', aspect: 'default' }
    expect(target.getStats()).toMatchObject({ ...named, access_count: 2, in_flight: 1, errors: 0 })
    expect(await bench.system.show('target')).toMatchObject({ calls: 2, in_flight: 1 })
    await target.free('one')
    expect(await open).toBe('freed')
    expect(target.getStats()).toMatchObject({ access_count: 3, in_flight: 0 })
    const { calls, failed_calls } = await bench.kernel.health()
    expect(calls).toBeGreaterThanOrEqual(3)
    expect(failed_calls).toBe(0)
  })

  it('a call to a service that is not there yet waits for it; so does a stream', async () => {
    const target = await start({ 'configs/late.yml': 'prog: target\nneeds: [first]\n' })
    const late = bench.getApi<Target>('late')
    const waiting = late.add(2, 3)
    const items = (async () => {
      const seen: number[] = []
      for await (const item of late.count(2)) seen.push(item)
      return seen
    })()
    await target.nothing()
    expect(bench.kernel.status().services['late']).toEqual({ state: 'waiting', generation: null })
    bench.root.write('configs/first.yml', 'prog: target\n')
    expect(await waiting).toBe(5)
    expect(await items).toEqual([1, 2])
  })

  it('the queue is bounded in length and in time, and a caller that gives up leaves it', async () => {
    await start({ 'configs/late.yml': 'prog: target\nneeds: [first]\nlimits: { queue_calls_max: 2, queue_ms: 300 }\n' })
    const late = bench.getApi<Target>('late')
    expect(await codeOf(late.with({ deadlineMs: 10 }).add(1, 1))).toBe('deadline_exceeded')
    const first = codeOf(late.add(1, 1))
    const second = codeOf(late.add(1, 1))
    expect(await codeOf(late.add(1, 1))).toBe('queue_full')
    expect(await first).toBe('queue_timeout')
    expect(await second).toBe('queue_timeout')
  })

  it('the service `kernel` answers, and refuses changes to a caller it does not know', async () => {
    await start()
    const { switchboard, kernel } = bench
    const route = switchboard.routes.get('kernel')?.aspects.get('default')
    if (route === undefined) throw new Error('there is no service `kernel`')
    const invoke = (method: string, ...args: unknown[]): Promise<unknown> =>
      switchboard.calls?.invoke(route, method, undefined, args) ?? Promise.reject(new Error('no calls'))
    expect(await invoke('status')).toMatchObject({ version: kernel.version, services: { target: { state: 'live' } } })
    expect(await codeOf(invoke('reload', 'target'))).toBe('caller_unknown')
    expect(await codeOf(invoke('swap'))).toBe('caller_unknown')
    switchboard.frozen = 'self'
    expect(await codeOf(bench.system.reload('target'))).toBe('frozen')
    switchboard.frozen = 'none'
    expect((await bench.system.reload('target')).ok).toBe(true)
  })
}
