/**
 * How long a reload takes: a 10 KB TypeScript module, 1,000 times, on a running kernel. `notified → live` is from the
 * kernel hearing of the change to the new version serving; `save → live` has the file watcher in it too.
 * Run: npm run bench -- reload
 */
import { startSystem } from '../test/support/system.ts'
import { machine, moduleSource, percentile, round, table } from './support.ts'

const RELOADS = Number(process.argv[2] ?? 1_000)

const system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': moduleSource(10_240, 0) })
await system.live('m')

async function measure(save: 'write' | 'writeByRename' | 'asked'): Promise<{ notified: number[]; saved: number[] }> {
  const notified: number[] = []
  const saved: number[] = []
  let generation = Number((await system.show('m')).generation)
  for (let index = 0; index < RELOADS; index++) {
    generation++
    const source = moduleSource(10_240, generation)
    const live =
      save === 'asked' ? undefined : system.event('service.live', (data) => data['generation'] === generation)
    if (save === 'asked') system.root.writeByRename('modules/m.ts', source)
    else system.root[save]('modules/m.ts', source)
    const since = performance.now()
    if (save === 'asked') notified.push((await system.reload('m')).ms)
    else notified.push(Number((await live)?.data['ms']))
    saved.push(performance.now() - since)
  }
  return { notified, saved }
}

const rows: string[][] = []
for (const [name, save] of [
  ['asked for (`reload`)', 'asked'],
  ['saved in place', 'write'],
  ['saved by rename', 'writeByRename'],
] as const) {
  const { notified, saved } = await measure(save)
  rows.push([
    name,
    ...[notified, saved].flatMap((values) => [0.5, 0.99].map((share) => round(percentile(values, share)))),
  ])
}
await system.stop()
console.log(`### Reload of a 10 KB TypeScript module, ${RELOADS} times (${machine()})\n`)
console.log(table(['how', 'notified → live p50 ms', 'p99', 'save → live p50 ms', 'p99'], rows))
process.exit(0)
