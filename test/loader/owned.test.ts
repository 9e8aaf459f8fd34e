import { afterEach, expect, it } from 'vitest'
import { createLoader, type TestLoader } from '../support/loader.ts'
import { rejection } from '../support/system.ts'

let test: TestLoader | undefined
afterEach(() => test?.dispose())

const start = (source: string): TestLoader => {
  test = createLoader({ 'modules/m.ts': source })
  return test
}

it('a late throw in a timer, an immediate and a microtask goes to its owner, with file, line and column', async () => {
  const { load, nextFault, loader } = start(`
    export const kinds = {
      timer: () => { setTimeout(() => { throw new Error('timer') }, 1) },
      immediate: () => { setImmediate(() => { throw new Error('immediate') }) },
      micro: () => { queueMicrotask(() => { throw new Error('micro') }) },
      interval: () => { const t = setInterval(() => { clearInterval(t); throw new Error('interval') }, 1) },
      rejected: () => { setTimeout(async () => { throw new Error('rejected') }, 1) },
      viaGlobal: () => { globalThis.setTimeout(() => { throw new Error('viaGlobal') }, 1) },
    }`)
  const { exports } = await load('modules/m.ts', 'tasks/late', 3)
  for (const [name, run] of Object.entries(exports['kinds'] as Record<string, () => void>)) {
    const fault = nextFault()
    run()
    const { thrown, owner } = await fault
    expect((thrown as Error).message).toBe(name)
    expect(owner).toEqual({ service: 'tasks/late', generation: 3 })
    expect(loader.placeOf(thrown)?.file.endsWith('modules/m.ts')).toBe(true)
  }
})

it('timers end with their version, however they were made', async () => {
  const { load } = start(`
    import { setTimeout as wait } from 'node:timers/promises'
    import timers from 'node:timers'
    export const ticks = { n: 0 }
    export const begin = () => {
      setInterval(() => ticks.n++, 1)
      timers.setInterval(() => ticks.n++, 1)
      return wait(60_000).catch((error) => error.name)
    }`)
  const loaded = await load('modules/m.ts')
  const { ticks, begin } = loaded.exports as unknown as { ticks: { n: number }; begin(): Promise<string> }
  const waiting = begin()
  await new Promise((resolve) => setTimeout(resolve, 20))
  loaded.release()
  expect(await waiting).toBe('AbortError')
  const after = ticks.n
  expect(after).toBeGreaterThan(0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(ticks.n).toBe(after)
})

it('clearing works for every kind of timer and for nonsense', async () => {
  const { load } = start(`
    export const run = () => new Promise((resolve) => {
      let fired = 0
      const a = setTimeout(() => fired++, 1); clearTimeout(a)
      const b = setImmediate(() => fired++); clearImmediate(b)
      const c = setInterval(() => fired++, 1); clearInterval(c)
      const d = setTimeout(() => fired++, 1); clearTimeout(+d)
      clearTimeout(undefined); clearImmediate(d as never); clearInterval(99999999)
      setTimeout(() => setImmediate(() => resolve(fired)), 10)
    })`)
  expect(await ((await load('modules/m.ts')).exports['run'] as () => Promise<number>)()).toBe(0)
})

it('refuses to end or rewire the process, and leaves the rest of it alone', async () => {
  const { load } = start(`
    import proc from 'node:process'
    import { exit } from 'process'
    export const tries = [
      () => process.exit(0), () => proc.exit(0), () => exit(0), () => process.kill(process.pid), () => process.abort(),
      () => process.chdir('/'), () => process.on('SIGTERM', () => {}), () => process.once('uncaughtException', () => {}),
      () => globalThis.process.exit(1), () => { process.exitCode = 3 },
    ]
    export const fine = () => [process.pid, typeof process.env, process.cwd().length > 0, typeof process.hrtime.bigint()]`)
  const { exports } = await load('modules/m.ts')
  for (const attempt of exports['tries'] as (() => void)[]) {
    expect((await rejection((async () => attempt())())).code).toBe('process_refused')
  }
  expect(process.exitCode).not.toBe(3)
  expect((exports['fine'] as () => unknown[])()).toEqual([process.pid, 'object', true, 'bigint'])
})

it('a module may use the names it would shadow', async () => {
  const { load } = start(`
    const process = { mine: 1 }
    const setTimeout = 2
    class global {}
    export const out = [process.mine, setTimeout, typeof global, typeof globalThis.Array]`)
  expect((await load('modules/m.ts')).exports['out']).toEqual([1, 2, 'function', 'function'])
})

it('code that names nothing owned gets it all the same by `eval`, and what comes after the release is not armed', async () => {
  const { load } = start(`
    export const ticks = { n: 0 }
    export const ask = (code: string) => eval(code)
    export const later = () => import('node:timers')`)
  const loaded = await load('modules/m.ts')
  const { ask, later, ticks } = loaded.exports as unknown as {
    ask(code: string): unknown
    later(): Promise<{ setInterval(callback: () => void, ms: number): void }>
    ticks: { n: number }
  }
  expect(() => ask('process.exit(1)')).toThrow(expect.objectContaining({ code: 'process_refused' }))
  loaded.release()
  const { setInterval: owned } = await later()
  owned(() => ticks.n++, 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(ticks.n).toBe(0)
})
