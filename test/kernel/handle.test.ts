import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)

beforeEach(async () => {
  process.on('unhandledRejection', note)
  system = await startSystem({
    'configs/calc.yml': '',
    'modules/calc.ts': `
      export class Module {
        count = 0
        static shared() { return 1 }
        add(a: number, b: number) { this.count++; return a + b }
        async later(ms: number) { await new Promise((resolve) => setTimeout(resolve, ms)); return 'late' }
        throws() { throw Object.assign(new Error('sync no'), { code: 'own_code' }) }
        async rejects() { throw new TypeError('async no') }
        thenable() { return { then: (ok: (value: string) => void) => ok('adopted') } }
        nothing() {}
        getAspect(name: string) {
          if (name === 'admin') return { wipe: () => 'wiped', level: 3 }
          if (name === 'default') return this
          throw new Error('no such aspect')
        }
        get danger() { throw new Error('a getter ran') }
        _secret() { return 'secret' }
        async *numbers(to: number) { for (let n = 1; n <= to; n++) yield n }
        async *broken() { yield 1; throw new Error('mid') }
        run(signal: AbortSignal) { return new Promise((resolve) => signal.addEventListener('abort', resolve)) }
      }`,
  })
})
afterEach(async () => {
  process.off('unhandledRejection', note)
  await system.stop()
  expect(unhandled.splice(0)).toEqual([])
})

const calc = () => system.getApi('calc') as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
const call = (name: string, ...args: unknown[]): Promise<unknown> =>
  calc()[name]?.(...args) ?? Promise.reject(new Error(name))

it('every call gives a Promise: of values, of promises, of foreign thenables, of errors', async () => {
  for (const name of ['add', 'later', 'throws', 'rejects', 'thenable', 'nothing']) {
    const result = call(name, 1, 2)
    expect(result).toBeInstanceOf(Promise)
    result.catch(() => undefined)
  }
  expect(await call('add', 1, 2)).toBe(3)
  expect(await call('later', 1)).toBe('late')
  expect(await call('thenable')).toBe('adopted')
  expect(await call('nothing')).toBeUndefined()
})

it('an error of the callee comes through as it was thrown, and an ignored one is counted, not unhandled', async () => {
  expect(await rejection(call('throws'))).toMatchObject({ code: 'own_code', message: 'sync no' })
  expect(await rejection(call('rejects'))).toBeInstanceOf(TypeError)
  void call('throws')
  void call('rejects')
  await new Promise((resolve) => setImmediate(resolve))
  expect((await system.show('calc')).errors).toBe(4)
})

it('refuses what is not public, each with its own code, and names what is near', async () => {
  expect(await rejection(call('_secret'))).toMatchObject({ code: 'private_member' })
  expect(await rejection(call('run'))).toMatchObject({ code: 'lifecycle_member' })
  expect(await rejection(call('constructor2'))).toMatchObject({ code: 'method_not_found' })
  expect(await rejection(call('count'))).toMatchObject({ code: 'not_a_method' })
  expect(await rejection(call('danger'))).toMatchObject({ code: 'not_a_method' })
  expect(await rejection(call('ad'))).toMatchObject({
    code: 'method_not_found',
    message: expect.stringContaining('near: add') as string,
  })
  expect(await rejection(call('shared'))).toMatchObject({ code: 'method_not_found' })
  expect(await rejection(system.getApi('calk')['add']?.() as Promise<unknown>)).toMatchObject({
    code: 'service_not_found',
    message: expect.stringContaining('near: calc') as string,
  })
})

it('can be awaited, printed, compared and turned into JSON without a call', async () => {
  const handle = calc()
  expect(await Promise.resolve(handle)).toBe(handle)
  expect(String(handle)).toBe('[handle calc]')
  expect(inspect(handle)).toBe('[handle calc]')
  expect(() => JSON.stringify(handle)).not.toThrow()
  expect(handle['asymmetricMatch']).toBeUndefined()
  expect((await system.show('calc')).calls).toBe(0)
})

it('an aspect is another, immutable handle', async () => {
  const handle = system.getApi('calc')
  const admin = handle.as('admin') as unknown as Record<string, () => Promise<unknown>>
  expect(await admin['wipe']?.()).toBe('wiped')
  expect(await rejection(admin['add']?.() as Promise<unknown>)).toMatchObject({ code: 'method_not_found' })
  expect(await rejection(admin['level']?.() as Promise<unknown>)).toMatchObject({ code: 'not_a_method' })
  expect(await call('add', 2, 2)).toBe(4)
  expect(await rejection(handle.as('nope')['x']?.() as Promise<unknown>)).toMatchObject({ code: 'aspect_not_found' })
  expect(inspect(admin)).toBe('[handle calc as admin]')
})

it('works without its handle, as an unknown caller', async () => {
  const { add } = calc()
  expect(await add?.(1, 1)).toBe(2)
  expect(await Reflect.apply(add as never, {}, [2, 2])).toBe(4)
  const kernel = system.getApi('kernel') as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  const { reload, status } = kernel
  expect(await status?.()).toMatchObject({ status: 'ok' })
  expect(await rejection(reload?.('calc') as Promise<unknown>)).toMatchObject({ code: 'caller_unknown' })
})

it('options: detail, deadline and abort; the first handle does not change', async () => {
  const handle = system.getApi('calc')
  const detailed = handle.with({ detail: true, trace: 't-1' })
  const { source_hash: sourceHash, config_hash: configHash } = await system.show('calc')
  expect(await detailed['add']?.(1, 2)).toEqual({ result: 3, generation: 1, sourceHash, configHash, traceId: 't-1' })
  expect(await rejection(handle.with({ deadlineMs: 5 })['later']?.(5_000) as Promise<unknown>)).toMatchObject({
    code: 'deadline_exceeded',
  })
  const stop = new AbortController()
  const aborted = handle.with({ signal: stop.signal })['later']?.(5_000) as Promise<unknown>
  stop.abort()
  expect(await rejection(aborted)).toMatchObject({ code: 'call_aborted' })
  expect(await rejection(handle.with({ signal: stop.signal })['add']?.(1, 1) as Promise<unknown>)).toMatchObject({
    code: 'call_aborted',
  })
  expect(await handle['add']?.(1, 1)).toBe(2)
  const admin = handle.with({ deadlineMs: 1_000 }).as('admin') as unknown as Record<string, () => Promise<unknown>>
  expect(await admin['wipe']?.()).toBe('wiped')
})

it('counts what passed through it', async () => {
  const handle = system.getApi('calc')
  const open = handle['later']?.(20)
  await handle['add']?.(1, 1)
  const stats = handle.getStats()
  expect(stats).toMatchObject({ api: 'calc', aspect: 'default', access_count: 2, in_flight: 1, errors: 0 })
  expect(stats.last_access).toBeGreaterThan(1_700_000_000_000)
  await open
  expect(handle.getStats().in_flight).toBe(0)
  await handle.with({ trace: 't' })['add']?.(1, 1)
  expect(handle.getStats().latency_ms?.p50).toBeGreaterThanOrEqual(0)
})

it('a stream is read, stopped early, and its error comes through; in flight until it ends', async () => {
  const handle = system.getApi<{ numbers(to: number): AsyncGenerator<number>; broken(): AsyncGenerator<number> }>(
    'calc',
  )
  const all: number[] = []
  for await (const n of handle.numbers(3)) all.push(n)
  expect(all).toEqual([1, 2, 3])
  for await (const n of handle.numbers(100)) {
    expect((await system.show('calc')).in_flight).toBe(1)
    if (n === 2) break
  }
  expect((await system.show('calc')).in_flight).toBe(0)
  const read = async (): Promise<void> => {
    for await (const n of handle.broken()) expect(n).toBe(1)
  }
  expect(await rejection(read())).toMatchObject({ message: 'mid' })
  expect((await system.show('calc')).in_flight).toBe(0)
})

it('a handle taken before the service exists finds it, and one kept over versions follows it', async () => {
  const early = system.getApi('later/born') as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  expect(await rejection(early['hi']?.() as Promise<unknown>)).toMatchObject({ code: 'service_not_found' })
  system.root.write('modules/born.ts', `export class Module { hi() { return 1 } old() { return 'old' } }`)
  system.root.write('configs/later/born.yml', 'prog: born')
  await system.live('later/born')
  expect(await early['hi']?.()).toBe(1)
  const { old } = early
  system.root.write(
    'modules/born.ts',
    `export class Module { hi() { return 2 } fresh() { return 'fresh' } async *old2() { yield 1 } }`,
  )
  await system.live('later/born', 2)
  expect(await early['hi']?.()).toBe(2)
  expect(await early['fresh']?.()).toBe('fresh')
  expect(await rejection(old?.() as Promise<unknown>)).toMatchObject({ code: 'method_not_found' })
})

it('a class may say how long its calls take; its config goes before it', async () => {
  const source =
    'export class Module { static drain_ms = 30; async late(ms) { await new Promise((r) => setTimeout(r, ms)) } }'
  system.root.write('modules/slow.js', source)
  system.root.write('configs/slow.yml', '')
  await system.live('slow')
  const lateCall = (ms: number): Promise<unknown> => {
    const late = system.getApi('slow').with({ deadlineMs: 10_000 })['late']?.(ms) as Promise<unknown>
    late.catch(() => undefined)
    return late
  }
  const cut = lateCall(60_000)
  await system.reload('slow')
  expect(await rejection(cut)).toMatchObject({ code: 'generation_retired' })
  system.root.write('configs/slow.yml', 'limits: {drain_ms: 20000}')
  await system.live('slow', 3)
  const kept = lateCall(200)
  await system.reload('slow')
  expect(await kept).toBeUndefined()
})

it('a call with options that outlives the drain limit of its version is told so', async () => {
  system.root.write('configs/calc.yml', 'limits: {drain_ms: 30}')
  await system.live('calc', 2)
  const late = system.getApi('calc').with({ deadlineMs: 10_000 })['later']?.(60_000) as Promise<unknown>
  late.catch(() => undefined)
  await system.reload('calc')
  expect(await rejection(late)).toMatchObject({ code: 'generation_retired' })
})
