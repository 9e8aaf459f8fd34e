/**
 * The reload storm: 20 services, a fifth of the reloads with an init and a shutdown of 50 to 200 ms, under calls in the
 * process and over HTTP, at once and waiting, and streams. Counted at the caller and again where the calls ran.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Module } from '../fixtures/storm/module.ts'
import { random } from './load.ts'
import { packageRoot } from './root.ts'
import { callInside, callOutside, isCalm, made, SHARE, total, type Storm } from './storm.ts'
import { startSystem } from './system.ts'

/** at scale 1 */
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
async function reloadOften(storm: Storm, api: string, sizes: { calls: number; reloads: number; slow: boolean }) {
  const { calls, reloads, slow } = sizes
  const { system, random: random_ } = storm
  const { root } = system
  for (let n = 1; n <= reloads; n++) {
    await made(storm, (calls * (n - random_.next())) / reloads)
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

export interface ReloadStormReport {
  reloads: number
  calls: number
  /** share of the calls that take time */
  slow: number
  failed: string[]
  /** what was counted wrongly where the calls ran, by service */
  wrong: string[]
}

/** `scale` times 1,000 reloads under a million calls. */
export async function runReloadStorm(seed: number, scale: number): Promise<ReloadStormReport> {
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
    random: random(seed),
    counts,
    made: new Map(),
    stop: stop.signal,
    nextId: 1,
    waiting: new Set(),
  }
  const calls = CALLS * scale
  const callers = [
    ...Array.from({ length: CALLERS.inside }, () => callInside(storm)),
    ...Array.from({ length: CALLERS.http }, (_, n) => callOutside(storm, n % 2 === 0)),
  ]
  const reloadsOf = ({ reloads, services }: { reloads: number; services: number }): number =>
    Math.ceil((reloads * scale) / services)
  const sizes = { calls, slow: false }
  const reloads = [
    ...apis.slow.map((api) => reloadOften(storm, api, { ...sizes, reloads: reloadsOf(SLOW), slow: true })),
    ...apis.quick.map((api) => reloadOften(storm, api, { ...sizes, reloads: reloadsOf(QUICK) })),
    ...apis.calm.map((api) => reloadOften(storm, api, { ...sizes, reloads: reloadsOf(CALM) })),
  ]
  await Promise.all([...reloads, made(storm, calls)])
  while (counts.http < total(counts) * SHARE.http || counts.stream < total(counts) * SHARE.stream) {
    await made(storm, storm.nextId + 1)
  }
  stop.abort()
  await Promise.all(callers)
  const report = await reportOf(storm)
  await system.stop()
  return report
}

async function reportOf({ system, apis, counts, made: calls }: Storm): Promise<ReloadStormReport> {
  const wrong: string[] = []
  let reloads = 0
  for (const api of apis) {
    const { ran, doubled } = await system.getApi<Module>(api).tally()
    const refused = system.kernel.services.get(api)?.refusedCalls
    if (ran !== calls.get(api)) wrong.push(`${api}: ${calls.get(api)} calls, ${ran} ran`)
    if (doubled > 0 || refused !== 0) wrong.push(`${api}: ${doubled} ran twice, ${refused} were refused`)
    reloads += (system.kernel.status().services[api]?.generation ?? Number.NaN) - 1
  }
  const { failed, slow } = counts
  return { reloads, calls: total(counts), slow: slow / total(counts), failed, wrong }
}
