/** What a module does in an isolate: the same in a process of its own and in this one. */
import { afterEach, describe, expect, it } from 'vitest'
import { realClock } from '../../../modules/lib/clock.ts'
import { createEngine } from '../../../modules/sandbox/engine/index.ts'
import { rejection } from '../../support/system.ts'
import { endPlaces, FOLDER, openGuest, openOnly, startPlace } from './engine-bench.ts'

afterEach(endPlaces)

describe.each(['process', 'inline'] as const)('in a place of kind %s', (kind) => {
  it('a module is evaluated, constructed, called, read as a stream, and closed', async () => {
    const place = await startPlace(kind)
    const { guest, call } = await openGuest(
      place,
      `enum Unit { Meter = 7 }
      export class Module {
        static needs = ['database']
        static version = '3'
        constructor(private readonly kernel: any, private readonly config: { by: number }) {}
        add(a: number) { return a + this.config.by + Unit.Meter }
        async *items(n: number) { for (let item = 0; item < n; item++) yield item }
        shutdown() {}
      }`,
      { config: { by: 2 } },
    )
    expect(place.guests).toBe(1)
    expect(guest.facts).toMatchObject({ module: true, needs: ['database'], version: '3', has: ['shutdown'] })
    expect(await guest.ask('aspect', { name: 'default' })).toEqual(
      expect.arrayContaining([
        { name: 'add', kind: 'call', length: 1 },
        { name: 'items', kind: 'stream', length: 1 },
        { name: 'config', kind: 'value', length: 0 },
      ]),
    )
    expect(await call('add', 1)).toBe(10)
    await guest.ask('open', { stream: 1, aspect: 'default', method: 'items', args: [2] })
    const read = [1, 2, 3].map(() => guest.ask('next', { stream: 1 }))
    expect(await Promise.all(read)).toEqual([
      { done: false, value: 0 },
      { done: false, value: 1 },
      { done: true, value: undefined },
    ])
    await guest.ask('shutdown', null)
    await guest.close()
    expect(place.guests).toBe(0)
    expect((await rejection(call('add', 1))).code).toBe('stopped')
  })

  it('values pass as they are, and what cannot pass is refused with a reason', async () => {
    const { call, closed } = await openGuest(
      await startPlace(kind),
      `export class Module {
        echo(value: unknown) { return value }
        fn() { return { deep: [() => 1] } }
        ring() { const ring: any = {}; ring.ring = ring; return ring }
        big() { return 'x'.repeat(64 * 1024 * 1024) }
      }`,
    )
    const values = [
      [undefined, null, Number.NaN, -0, Infinity, 10n ** 30n, 'a\ud800b'],
      { $: 1, at: new Date(7), map: new Map([[{ a: 1 }, new Set([1])]]) },
      new Uint8Array([1, 2]),
      new Float64Array([0.5]),
      new Uint8Array([9]).buffer,
      JSON.parse('{"__proto__": {"x": 1}}'),
    ]
    for (const value of values) expect(await call('echo', value)).toEqual(value)
    expect(Object.is((await call<number[]>('echo', [-0]))[0], -0)).toBe(true)
    for (const method of ['fn', 'ring']) expect((await rejection(call(method))).code).toBe('sandbox_value')
    expect((await rejection(call('big'))).code).toBe('sandbox_message_size')
    expect((await rejection(call('echo', () => 1))).code).toBe('bad_arguments')
    expect((await rejection(call('echo', 'x'.repeat(5_000_000)))).code).toBe('sandbox_message_size')
    expect(closed).toEqual([])
    expect(await call('echo', 1)).toBe(1)
  })

  it('a stack names the line and column of the source, and nothing of this machine', async () => {
    const { call } = await openGuest(await startPlace(kind), {
      'main.ts': `import { fail } from './helper.ts'
interface Unused { a: string }
export class Module { run_it() { return fail() } }`,
      'helper.ts': `type Text = string

export function fail(): Text {
  throw Object.assign(new Error('it broke'), { code: 'broken' })
}`,
    })
    const error = (await rejection(call('run_it'))) as { stack?: string }
    expect(error).toMatchObject({ code: 'broken', message: 'it broke' })
    expect(error.stack).toContain('at fail (modules/helper.ts:4:23)')
    expect(error.stack).toContain('modules/main.ts:3:41')
    expect(error.stack).not.toMatch(/sandbox:|somewhere|node_modules/)
  })

  it.each([
    ['import { readFileSync } from "node:fs"\nreadFileSync("a")', 'import_refused', 1],
    ['\nimport x from "left-pad"\nx()', 'import_refused', 2],
    ['\n\nconst later = import("./a.ts")', 'import_refused', 3],
    ['const a = ;', 'source_syntax', 1],
    ['\nthrow new Error("no")', 'module_threw', 2],
    ['import "./missing.ts"', 'import_missing', 1],
  ])('%j is refused with its place', async (line, code, at) => {
    const place = await startPlace(kind)
    const error = await rejection(openOnly(place, `${line}\nexport class Module {}`))
    expect(error).toMatchObject({ code, file: `${FOLDER}/main.ts`, line: at })
    expect(place.guests).toBe(0)
  })

  it('a loop is ended at its limit, for good, and whoever else is there goes on', async () => {
    const place = await startPlace(kind)
    const source =
      'export class Module { spin() { for (;;); } one() { return 1 } never() { return new Promise(() => {}) } }'
    const limits = { cpu_ms: 100 }
    const bad = await openGuest(place, source, { limits })
    const good = await openGuest(place, source, { limits })
    const open = rejection(bad.call('never'))
    expect((await rejection(bad.call('spin'))).code).toBe('sandbox_cpu')
    expect((await open).code).toBe('sandbox_cpu')
    expect(bad.closed.map(({ code }) => code)).toEqual(['sandbox_cpu'])
    expect((await rejection(bad.call('one'))).code).toBe('sandbox_cpu')
    expect(await good.call('one')).toBe(1)
  })

  it('a loop around one that the compiler unrolls is ended at its limit', async () => {
    const source = 'export class Module { spin() { let all; for (;;) all = new Array(1_000) } }'
    const { call } = await openGuest(await startPlace(kind), source, { limits: { cpu_ms: 500 } })
    expect((await rejection(call('spin'))).code).toBe('sandbox_cpu')
  })

  it('a call that takes too long is given up on, and the guest lives', async () => {
    const { guest, call, closed } = await openGuest(
      await startPlace(kind),
      'export class Module { never() { return new Promise(() => {}) } one() { return 1 } }',
    )
    const never = guest.ask('call', { aspect: 'default', method: 'never', args: [] }, { wall_ms: 20 })
    expect((await rejection(never)).code).toBe('sandbox_wall')
    expect(await call('one')).toBe(1)
    expect(closed).toEqual([])
  })

  it('too much memory, and too many messages, end it', async () => {
    const source = `export class Module {
      constructor(private readonly kernel: any) {}
      hoard() { const all: unknown[] = []; for (;;) all.push(new Array(1_000).fill(all.length)) }
      flood() { for (let line = 0; line < 1_000_000; line++) console.log('line ' + line) }
    }`
    const place = await startPlace(kind)
    const hoarder = await openGuest(place, source, { limits: { memory_mb: 16, cpu_ms: 20_000 } })
    expect((await rejection(hoarder.call('hoard'))).code).toBe('sandbox_memory')
    const flooder = await openGuest(place, source)
    expect((await rejection(flooder.call('flood'))).code).toBe('sandbox_flood')
    expect(flooder.closed.map(({ code }) => code)).toEqual(['sandbox_flood'])
  })

  it('what a sandbox has not says so', async () => {
    const { call } = await openGuest(
      await startPlace(kind),
      `export class Module {
        constructor(private readonly kernel: any) {}
        hold() { return this.kernel.hold('key', () => 1, () => {}) }
        async late() {
          const items = this.kernel.getApi('other').items()
          await items
          for await (const item of items) return item
        }
      }`,
      { answers: { call: () => 1 } },
    )
    expect((await rejection(call('hold'))).code).toBe('sandbox_not_here')
    expect((await rejection(call('late'))).code).toBe('sandbox_late_read')
  })
})

it('what speaks otherwise than the bootstrap does is ended', async () => {
  const { call, closed } = await openGuest(
    await startPlace('process'),
    `export class Module {
      async forge() {
        Object.prototype.toJSON = () => ({ tell: 'nonsense' })
        console.log('x')
        await new Promise(() => {})
      }
    }`,
  )
  expect((await rejection(call('forge'))).code).toBe('sandbox_crashed')
  expect(closed.map(({ code }) => code)).toEqual(['sandbox_crashed'])
})

it('a native loop costs its process; who else was in it is told why', async () => {
  const place = await startPlace('process')
  const source = `export class Module {
    native() { return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }
    never() { return new Promise(() => {}) }
  }`
  const bad = await openGuest(place, source, { limits: { cpu_ms: 100 } })
  const good = await openGuest(place, source)
  const open = rejection(good.call('never'))
  expect((await rejection(bad.call('native'))).code).toBe('sandbox_cpu')
  expect((await open).code).toBe('sandbox_host_died')
  expect(good.closed.map(({ code }) => code)).toEqual(['sandbox_host_died'])
  expect((await place.ended).code).toBe('sandbox_host_died')
  expect(place.pid).toBe(undefined)
})

it('where isolates cannot be made nothing is run: the reason says what to do', async () => {
  const [major] = process.versions.node.split('.').map(Number)
  const other = createEngine({ clock: realClock, node_major: (major ?? 0) < 22 ? 24 : 20 })
  expect(other.available()).toMatchObject({ code: 'sandbox_unavailable', hint: expect.stringContaining('npm ci') })
  expect((await rejection(other.startProcess({ rss_mb_max: 512 }))).code).toBe('sandbox_unavailable')
  expect(() => other.inline()).toThrow(/No sandbox can be made here/)
})

it.each([
  ['Array.prototype.push', 'Array.prototype.push = () => { throw new Error("poison") }'],
  [
    'Array.prototype[0]',
    'Object.defineProperty(Array.prototype, 0, { set() { throw new Error("poison") }, configurable: true })',
  ],
  [
    'Map and Set',
    'for (const one of [Map, Set]) for (const name of ["get", "set", "has", "delete", "forEach"]) one.prototype[name] = () => { throw new Error("poison") }',
  ],
  ['Promise.prototype.then', 'Promise.prototype.then = function () { throw new Error("poison") }'],
  [
    'Object, Reflect and JSON',
    'const namesOf = Object.getOwnPropertyNames; for (const of of [Object, Reflect, JSON]) for (const name of namesOf(of)) if (name !== "prototype") try { of[name] = () => { throw new Error("poison") } } catch {}',
  ],
  [
    'the globals',
    'for (const name of ["Date", "Array", "Error", "Uint8Array", "Proxy", "Symbol"]) globalThis[name] = undefined',
  ],
])('what a module does to %s is its own affair: values still cross, and others notice nothing', async (_what, code) => {
  const place = await startPlace('inline')
  const source = `export class Module {
    echo(value: unknown) { return value }
    async later(value: unknown) { return value }
    poison(code: string) { new Function(code)() }
  }`
  const bad = await openGuest(place, source)
  const good = await openGuest(place, source)
  await bad.call('poison', code)
  const value = { a: [1, { b: 'c' }], at: new Date(1) }
  expect(await bad.call('echo', value)).toEqual(value)
  expect(await bad.call('later', [1])).toEqual([1])
  expect(await good.call('echo', value)).toEqual(value)
  expect([...bad.closed, ...good.closed]).toEqual([])
})
