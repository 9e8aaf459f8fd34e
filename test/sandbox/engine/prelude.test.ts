/** What is there in an isolate, and what is not. */
import { createHash } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { atob as ourAtob, btoa as ourBtoa } from '../../../modules/sandbox/engine/guest/base64.ts'
import { TextDecoder as OurDecoder, TextEncoder as OurEncoder } from '../../../modules/sandbox/engine/guest/text.ts'
import type { CallSignal } from '../../../modules/contracts/module.ts'
import { rejection } from '../../support/system.ts'
import { endPlaces, openGuest, startPlace, type OpenedGuest } from './engine-bench.ts'

afterEach(endPlaces)

/** A module whose method runs any code. */
const RUNNER = `export class Module {
  constructor(private readonly kernel: any) {}
  run_it(code: string) { return new Function('kernel', 'return (async () => {' + code + '})()')(this.kernel) }
}`

const runner = async (options: Parameters<typeof openGuest>[2] = {}): Promise<OpenedGuest['call']> => {
  const { call } = await openGuest(await startPlace('inline'), RUNNER, options)
  return (code, ...rest) => call('run_it', code, ...rest)
}

it('no power of a process is there, and nothing that goes around the limits', async () => {
  const run = await runner()
  const names = await run<string[]>('return Object.getOwnPropertyNames(globalThis)')
  const forbidden =
    /^(process|require|module|global|Buffer|fetch|performance|__sandbox_add__|ivm|send|receive|WebAssembly|SharedArrayBuffer|Atomics|FinalizationRegistry|WeakRef)$/
  expect(names.filter((name) => forbidden.test(name))).toEqual([])
  expect(await run('return typeof $0 + typeof $1 + typeof main + typeof linker')).toBe('undefined'.repeat(4))
  expect(await run('return (() => {}).constructor("return typeof process")()')).toBe('undefined')
  const reasons = await run<string[]>(`
    const tries = [
      () => new ArrayBuffer(8, { maxByteLength: 1e9 }).resizable,
      () => Reflect.construct(new Uint8Array(1).buffer.constructor, [8, { maxByteLength: 1e9 }]).resizable,
      () => new (class extends ArrayBuffer {})(8, { maxByteLength: 1e9 }).resizable,
      () => typeof ArrayBuffer.prototype.resize,
    ]
    return tries.map((one) => String(one()))`)
  expect(reasons.filter((one) => one !== 'false' && one !== 'undefined')).toEqual([])
})

it('timers run in their order, and can be taken back', async () => {
  const run = await runner()
  const code = `
    const seen = []
    const gone = setTimeout(() => seen.push('gone'), 1)
    clearTimeout(gone)
    setTimeout((...args) => seen.push(args.join()), 5, 'b', 1)
    setTimeout(() => seen.push('a'), 1)
    let turns = 0
    await new Promise((resolve) => {
      const every = setInterval(() => { if (++turns === 3) { clearInterval(every); resolve() } }, 4)
    })
    await kernel.sleep(1)
    queueMicrotask(() => seen.push('m'))
    await new Promise((resolve) => setImmediate(resolve))
    return [...seen, turns]`
  expect(await run(code)).toEqual(['a', 'b,1', 'm', 3])
})

it('abort signals are there: of a sleep, of a time, of several', async () => {
  const run = await runner()
  const code = `
    const stop = new AbortController()
    const slept = kernel.sleep(60_000, AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)])).catch((e) => e.code)
    stop.abort()
    await AbortSignal.timeout(1) && new Promise((resolve) => AbortSignal.timeout(1).addEventListener('abort', resolve))
    return [await slept, stop.signal.aborted, stop.signal.reason.name]`
  expect(await run(code)).toEqual(['stopped', true, 'AbortError'])
})

it('a signal crosses in both directions, and aborts over there when it does here', async () => {
  let given: CallSignal | undefined
  const waits = (signal: CallSignal): Promise<string> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve('told'), { once: true }))
  const { call } = await openGuest(
    await startPlace('process'),
    `export class Module {
      constructor(private readonly kernel: any) {}
      wait({ signal }: { signal: AbortSignal }) {
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted')))
      }
      async out() {
        const stop = new AbortController()
        const asked = this.kernel.getApi('other').with({ signal: stop.signal, deadlineMs: 9 }).wait(stop.signal)
        await this.kernel.sleep(5)
        stop.abort()
        return asked
      }
    }`,
    {
      answers: {
        call: async ({ args, options }) => {
          given = options?.signal
          const told = [args[0] as AbortSignal, options?.signal].map((signal) => signal && waits(signal))
          return [...(await Promise.all(told.filter((one) => one !== undefined))), options?.deadlineMs]
        },
      },
    },
  )
  const stop = new AbortController()
  const waiting = call('wait', { signal: stop.signal })
  stop.abort()
  expect(await waiting).toBe('aborted')
  expect(await call('out')).toEqual(['told', 'told', 9])
  expect(given?.aborted).toBe(true)
})

it('random bytes, identifiers and digests are there', async () => {
  const run = await runner()
  const ids = await run<string[]>('return Array.from({ length: 50 }, () => crypto.randomUUID())')
  expect(new Set(ids).size).toBe(50)
  expect(ids[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  const other = await runner()
  expect(await other('return crypto.randomUUID()')).not.toBe(ids[0])
  const digest = await run<Uint8Array>(
    'return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc")))',
  )
  expect(Buffer.from(digest).toString('hex')).toBe(createHash('sha256').update('abc').digest('hex'))
  expect((await rejection(run('await crypto.subtle.digest("nothing", new Uint8Array(1))'))).message).toMatch(
    /nothing|algorithm/i,
  )
})

it('text becomes bytes and back as in Node, whatever the bytes are', () => {
  const texts = ['', 'abc', 'ä€😀', '\ud800x', '\ufeffmark', 'x'.repeat(10_000)]
  for (const text of texts) expect([...new OurEncoder().encode(text)]).toEqual([...new TextEncoder().encode(text)])
  let seed = 7
  const next = (): number => (seed = (seed * 48_271) % 2_147_483_647)
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from(
      { length: next() % 12 },
      () => [next() % 256, 0xf0, 0xe2, 0x80, 0xbf, 0x41][next() % 6] ?? 0,
    )
    expect(new OurDecoder().decode(bytes), bytes.join()).toBe(new TextDecoder().decode(bytes))
    const latin = String.fromCharCode(...bytes)
    expect(ourBtoa(latin)).toBe(btoa(latin))
    expect(ourAtob(btoa(latin))).toBe(latin)
  }
  const parts = new OurDecoder()
  const whole = new TextEncoder().encode('a€😀')
  const joined = [...whole].map((byte) => parts.decode(Uint8Array.of(byte), { stream: true })).join('')
  expect(joined + parts.decode()).toBe('a€😀')
  expect(() => new OurDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff))).toThrow(TypeError)
})

it('values are cloned, lines of the console are lines of the log', async () => {
  const { call, told } = await openGuest(await startPlace('inline'), RUNNER)
  const code = `
    const from = { at: new Date(1), set: new Set(['a']), bytes: new Uint8Array([1]) }
    const list = structuredClone([{ n: 1 }, [2]])
    const copy = structuredClone(from)
    console.warn('careful', { deep: [1n] }, new Map([[1, 2]]))
    kernel.log.child('part').info('hello', { n: 1 })
    return [copy, copy.set !== from.set, list.map((one) => one.n ?? one.at(0))]`
  expect(await call('run_it', code)).toEqual([
    { at: new Date(1), set: new Set(['a']), bytes: new Uint8Array([1]) },
    true,
    [1, 2],
  ])
  expect(told).toEqual([
    { tell: 'log', level: 'warn', message: 'careful {"deep":["1"]} [[1,2]]' },
    { tell: 'log', level: 'info', message: 'part: hello', fields: { n: 1 } },
  ])
})

it('a rejection nobody awaits, and a throw of a timer, are told and end nothing', async () => {
  const { call, told, closed } = await openGuest(await startPlace('process'), RUNNER)
  await call(
    'run_it',
    'void Promise.reject(new Error("nobody waits")); setTimeout(() => { throw new Error("late") }, 1)',
  )
  const faults = (): string[] => told.flatMap((one) => (one.tell === 'fault' ? [one.error.message] : []))
  await expect.poll(faults).toEqual(['nobody waits', 'late'])
  expect(await call('run_it', 'return 1')).toBe(1)
  expect(closed).toEqual([])
})
