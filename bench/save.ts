/**
 * How long a save takes to be live with 1,000 configs and 1,000 modules running: one file of them is saved, in place or
 * by rename, and the clock stops when the new version serves. Every save is of another service. In place has the quiet
 * time of a half-written file in it (`write_quiet_ms`). Run: npm run bench -- save [saves [services]]
 */
import { startSystem } from '../test/support/system.ts'
import { machine, manyServices, moduleSource, percentile, round, table } from './support.ts'

const SAVES = Number(process.argv[2] ?? 200)
const SERVICES = Number(process.argv[3] ?? 1_000)
/** Between two saves, so that each finds the system at rest; not a divisor of the sweep's second. */
const PAUSE_MS = 37

const system = await startSystem(manyServices(SERVICES))

type Save = 'write' | 'writeByRename'

async function measure(save: Save, edit: (name: string, version: number) => [file: string, text: string]) {
  const times: number[] = []
  for (let index = 0; index < SAVES; index++) {
    const api = `s${(index * 7) % SERVICES}`
    const generation = Number((await system.show(api)).generation) + 1
    const live = system.event('service.live', (data) => data['api'] === api && data['generation'] === generation)
    const since = performance.now()
    system.root[save](...edit(api, generation))
    await live
    times.push(performance.now() - since)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return times
}

const rows: string[][] = []
for (const [what, edit] of [
  ['code', (api: string, version: number) => [`modules/${api}.ts`, moduleSource(3_072, version)]],
  ['config', (api: string, version: number) => [`configs/${api}.yml`, `version: ${version}\n`]],
] as const) {
  for (const [how, save] of [
    ['in place', 'write'],
    ['by rename', 'writeByRename'],
  ] as const) {
    const times = await measure(save, edit as (api: string, version: number) => [string, string])
    rows.push([what, how, ...[0.5, 0.9, 0.99].map((share) => round(percentile(times, share), 1))])
  }
}
await system.stop()
console.log(`### Save → live with ${SERVICES} services, ${SAVES} saves each (${machine()})\n`)
console.log(table(['edit of', 'saved', 'p50 ms', 'p90', 'p99'], rows))
process.exit(0)
