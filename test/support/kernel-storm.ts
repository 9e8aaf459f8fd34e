/**
 * The kernel is replaced again and again under the callers of the reload storm, and without them for what each swap
 * leaves in memory. Used by the tests of both sizes and by bench/kernel-swap.ts.
 */
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { KernelPort, NextKernel } from '../../modules/contracts/kernel-port.ts'
import type { Module } from '../fixtures/storm/module.ts'
import { random } from './load.ts'
import { packageRoot } from './root.ts'
import { callInside, callOutside, made, total, type Storm, type StormCounts } from './storm.ts'
import { startSystem, type TestSystem } from './system.ts'

const SERVICES = 50
const CALLERS = { inside: 64, http: 32 }
/** calls between one swap and the next */
const CALLS_BETWEEN = 1_000

export interface SwapFigures {
  counts: StormCounts
  calls: number
  /** milliseconds between letting go and everything taken over, each swap */
  pauses: number[]
  /** share of the kernels before that are gone after a collection */
  collected: number
  /** services whose count of runs differs from the calls made to it, or ran one twice, or refused one */
  wrong: string[]
  /** what the kernel knows of its services, before the first swap and after the last */
  digests: [string, string]
}

/** A system of 50 services, as the storm calls them. */
export function startFleet(
  more: Record<string, string> = {},
  options?: Parameters<typeof startSystem>[1],
): Promise<TestSystem> {
  const fixture = (name: string): string => readFileSync(join(packageRoot, 'test/fixtures/storm', name), 'utf8')
  const files: Record<string, string> = {
    'configs/http.yml': 'prog: services/http\nport: 0',
    'configs/tools.yml': 'prog: services/tools',
    'modules/tally.ts': fixture('tally.ts'),
    'modules/storm.ts': fixture('module.ts'),
  }
  for (const api of fleet) files[`configs/${api}.yml`] = 'prog: storm\n'
  return startSystem({ ...files, ...more }, options)
}

export const fleet = Array.from({ length: SERVICES }, (_, n) => `s${n}`)

/**
 * Raises the meta file to `1.n.0` and takes the one before away; resolves when the next kernel runs. `before` is what
 * the swap before gave: its code is given back, as the bootloader does with a kernel that nobody goes back to.
 */
export async function swapTo(
  system: TestSystem,
  n: number,
  before?: NextKernel,
  meta = 'prog: kernel\n',
): Promise<NextKernel> {
  const { kernel, root } = system
  const ended = kernel.waitForShutdown()
  root.write(`configs/meta-v1.${n}.0.yml`, meta)
  const next = await ended
  if (next?.kernel.version !== `1.${n}.0`) throw new Error(`${next?.kernel.version} runs instead of 1.${n}.0`)
  root.remove(`configs/meta-v1.${n - 1}.0.yml`)
  before?.release()
  return next
}

const numbers = new WeakMap<object, number>()
let lastNumber = 0

/** The same number for the same object, another for each other. */
function numberOf(object: object | undefined): number {
  if (object === undefined) return 0
  const number = numbers.get(object) ?? ++lastNumber
  numbers.set(object, number)
  return number
}

/** Everything of a service that a swap must not touch: what it is, which objects it is made of, what happened to it. */
function digest({ kernel }: TestSystem): string {
  const told = fleet.map((api) => {
    const { state, live, draining, refusedCalls } = kernel.services.get(api) ?? {}
    const objects = [live?.instance, live?.kernelApi, live?.evaluated, live?.isolator].map(numberOf)
    const times = [live?.startedAt, live?.liveAt, live?.versionSince]
    const facts = [live?.number, live?.state, live?.desired.hash, live?.errors, draining?.size, refusedCalls]
    return [api, state, ...facts, ...objects, ...times]
  })
  return createHash('sha256').update(JSON.stringify(told)).digest('hex')
}

export interface SwapStorm {
  swaps: number
  seed: number
  /** files besides those of the fleet */
  files?: Record<string, string>
  /** text of the n-th meta file */
  metaOf?: (n: number) => string
}

export async function swapUnderLoad({ swaps, seed, files, metaOf }: SwapStorm): Promise<SwapFigures> {
  const system = await startFleet(files)
  const stop = new AbortController()
  const counts = { now: 0, slow: 0, stream: 0, http: 0, failed: [] }
  const shared = { system, apis: fleet, random: random(seed), counts, stop: stop.signal }
  const storm: Storm = { ...shared, made: new Map(), nextId: 1, waiting: new Set() }
  const held = fleet.map((api) => system.getApi<Module>(api))
  const before = digest(system)
  const callers = [
    ...Array.from({ length: CALLERS.inside }, () => callInside(storm)),
    ...Array.from({ length: CALLERS.http }, (_, n) => callOutside(storm, n % 2 === 0)),
  ]
  let next: NextKernel | undefined
  const [old, pauses]: [WeakRef<KernelPort>[], number[]] = [[], []]
  for (let n = 1; n <= swaps; n++) {
    const swapped = system.event('kernel.swapped')
    old.push(new WeakRef(system.kernel))
    next = await swapTo(system, n, next, metaOf?.(n))
    pauses.push(Number((await swapped).data['pause_ms']))
    await made(storm, storm.nextId + CALLS_BETWEEN)
  }
  stop.abort()
  await Promise.all(callers)
  const wrong: string[] = []
  for (const [n, api] of fleet.entries()) {
    const { ran, doubled } = (await held[n]?.tally()) ?? { ran: -1, doubled: -1 }
    const calls = storm.made.get(api) ?? 0
    if (ran !== calls || doubled !== 0) wrong.push(`${api}: ${calls} calls, ${ran} ran, ${doubled} twice`)
  }
  const digests: [string, string] = [before, digest(system)]
  const share = await collected(old)
  await system.stop()
  return { counts, calls: total(counts), pauses, collected: share, wrong, digests }
}

export interface SwapMemory {
  /** of heap that each swap leaves, from a quarter of the swaps on */
  heap_kb: number
}

/** Without load, so that nothing else moves the heap. `collect` frees all it can. */
export async function memoryOfSwaps(swaps: number, collect: () => void): Promise<SwapMemory> {
  const system = await startFleet()
  const quarter = Math.floor(swaps / 4)
  let heap = 0
  let next: NextKernel | undefined
  for (let n = 1; n <= swaps; n++) {
    next = await swapTo(system, n, next)
    system.log.length = 0 // the test's own, without a limit
    if (n !== quarter) continue
    collect()
    heap = process.memoryUsage().heapUsed
  }
  collect()
  const heap_kb = (process.memoryUsage().heapUsed - heap) / 1024 / (swaps - quarter)
  await system.stop()
  return { heap_kb }
}

async function collected(kernels: readonly WeakRef<KernelPort>[]): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // The one before the last is held by what it still has to tell.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  return kernels.filter((one) => one.deref() === undefined).length / kernels.length
}
