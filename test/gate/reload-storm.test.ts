/**
 * 1,000 reloads of 20 services, 200 of them with an init and a shutdown of 50 to 200 ms, under a million calls: in the
 * process and over HTTP, at once and waiting, and streams. Counted at the caller and again where the calls ran.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Module } from '../fixtures/storm/module.ts'
import { random } from '../support/load.ts'
import { packageRoot } from '../support/root.ts'
import { callInside, callOutside, isCalm, made, SHARE, total, type Storm } from '../support/storm.ts'
import { startSystem } from '../support/system.ts'

const SEED = 20_260_101
const CALLS = 1_000_000
const CALLERS = { inside: 64, http: 32 }
const SLOW = { services: 4, reloads: 200 }
const QUICK = { services: 12, reloads: 600 }
/** their versions never stand side by side: calls wait while the old one becomes quiet */
const CALM = { services: 4, reloads: 200 }

const fixture = (name: string): string => readFileSync(join(packageRoot, 'test/fixtures/storm', name), 'utf8')
const MODULE = fixture('module.ts')
const modeOf = (api: string): string => (isCalm(api) ? 'reload: quiesce\n' : '')
const apisOf = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`)

function files(apis: readonly string[]): Record<string, string> {
  const all: Record<string, string> = {
    'configs/http.yml': 'prog: services/http\nport: 0',
    'configs/tools.yml': 'prog: services/tools',
    'modules/tally.ts': fixture('tally.ts'),
  }
  for (const api of apis) {
    all[`configs/${api}.yml`] = modeOf(api)
    all[`modules/${api}.ts`] = MODULE
  }
  return all
}

/** One service's share of the reloads, spread over all the calls; each has to be live before the next. */
async function reloadOften(storm: Storm, api: string, reloads: number, slow: boolean): Promise<void> {
  const { system, random: random_ } = storm
  const { root } = system
  for (let n = 1; n <= reloads; n++) {
    await made(storm, (CALLS * (n - random_.next())) / reloads)
    const live = system.live(api, n + 1)
    const save = random_.next() < 0.5 ? 'write' : 'writeByRename'
    const ms = (): number => random_.between(50, 200)
    // A slow one stays slow whichever file is edited.
    const slowness = slow ? `init_ms: ${ms()}\nshutdown_ms: ${ms()}\n` : ''
    if (n === 1 || random_.next() < 0.5) root[save](`configs/${api}.yml`, `${modeOf(api)}stamp: ${n}\n${slowness}`)
    else root[save](`modules/${api}.ts`, MODULE.replace('VERSION = 0', `VERSION = ${n}`))
    await live
  }
}

it('no call fails, is lost, runs twice, or is answered by a version that is not live', {
  timeout: 300_000,
}, async () => {
  const apis = {
    slow: apisOf('slow', SLOW.services),
    quick: apisOf('quick', QUICK.services),
    calm: apisOf('calm', CALM.services),
  }
  const all = [...apis.slow, ...apis.quick, ...apis.calm]
  const system = await startSystem(files(all))
  const stop = new AbortController()
  const counts = { now: 0, slow: 0, stream: 0, http: 0, failed: [] }
  const storm: Storm = {
    system,
    apis: all,
    random: random(SEED),
    counts,
    made: new Map(),
    stop: stop.signal,
    nextId: 1,
    waiting: new Set(),
  }
  const callers = [
    ...Array.from({ length: CALLERS.inside }, () => callInside(storm)),
    ...Array.from({ length: CALLERS.http }, (_, n) => callOutside(storm, n % 2 === 0)),
  ]
  const reloads = [
    ...apis.slow.map((api) => reloadOften(storm, api, SLOW.reloads / SLOW.services, true)),
    ...apis.quick.map((api) => reloadOften(storm, api, QUICK.reloads / QUICK.services, false)),
    ...apis.calm.map((api) => reloadOften(storm, api, CALM.reloads / CALM.services, false)),
  ]
  await Promise.all([...reloads, made(storm, CALLS)])
  while (counts.http < total(counts) * SHARE.http || counts.stream < total(counts) * SHARE.stream) {
    await made(storm, storm.nextId + 1)
  }
  stop.abort()
  await Promise.all(callers)

  const ran = await Promise.all(all.map((api) => system.getApi<Module>(api).tally()))
  const generations = all.map((api) => system.kernel.status().services[api]?.generation ?? 0)
  const refused = all.map((api) => system.kernel.services.get(api)?.refusedCalls)
  await system.stop()
  expect(counts.failed.slice(0, 5)).toEqual([])
  expect(generations.reduce((sum, generation) => sum + generation - 1, 0)).toBe(
    SLOW.reloads + QUICK.reloads + CALM.reloads,
  )
  expect(ran.map((one) => one.doubled)).toEqual(all.map(() => 0))
  expect(ran.map((one) => one.ran)).toEqual(all.map((api) => storm.made.get(api)))
  expect(refused).toEqual(all.map(() => 0))
  expect(total(counts)).toBeGreaterThanOrEqual(CALLS)
  expect(counts.slow / total(counts)).toBeGreaterThanOrEqual(0.2)
})
