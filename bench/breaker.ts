/**
 * What a service that always fails costs before it is switched off (R10): the processor's share of the whole process over
 * ten seconds, in which it fails, is started anew five times with a pause that doubles, and is off; beside fifty services at
 * rest, and less what those take by themselves. Processor time, so that a busy machine matters little.
 * Run: npm run bench -- breaker [runs]
 */
import { failing } from '../test/support/breaker.ts'
import { startSystem } from '../test/support/system.ts'
import { machine, manyServices, median, round, table } from './support.ts'

const RUNS = Number(process.argv[2] ?? 3)
const SERVICES = 50
const WINDOW_MS = 10_000
const PLACES = ['import', 'constructor', 'init', 'run'] as const

const share = async (files: Record<string, string>): Promise<number> => {
  const system = await startSystem(manyServices(SERVICES))
  const before = process.cpuUsage()
  for (const [path, text] of Object.entries(files)) system.root.write(path, text)
  await new Promise((resolve) => setTimeout(resolve, WINDOW_MS))
  const { user, system: kernel } = process.cpuUsage(before)
  await system.stop()
  return (user + kernel) / 10 / WINDOW_MS
}

const rows: string[][] = []
const all = async (files: Record<string, string>): Promise<number[]> => {
  const shares: number[] = []
  for (let run = 0; run < RUNS; run++) {
    // The module counts its starts there.
    for (const where of PLACES) Reflect.deleteProperty(globalThis, `${where}Starts`)
    shares.push(await share(files))
  }
  return shares
}
await share({})
const rest = median(await all({}))
for (const where of PLACES) {
  const shares = await all({ 'modules/m.js': failing(where, 2), 'configs/m.yml': '' })
  rows.push([where, ...[median(shares), median(shares) - rest].map((one) => `${round(one)} %`)])
}
console.log(`### The processor's share of a service that always fails, ${RUNS} times (${machine()})\n`)
console.log(
  table(['fails at', 'share of the process', `more than ${SERVICES} services at rest (${round(rest)} %)`], rows),
)
process.exit(0)
