/**
 * The dashboard on a system of 1,000 services that tells 1,000 events a second: when it is first painted, which tasks of
 * the page take longer than 50 ms, how long a press takes to be answered, and whether its memory grows.
 * Run: npm run bench -- dashboard (ten minutes; MINUTES=1 SERVICES=100 for less)
 */
import type { Page } from 'playwright-core'
import { startDashboard, visit } from '../test/support/browser.ts'
import { machine, manyServices, median, percentile, round, table } from './support.ts'

const MINUTES = Number(process.env['MINUTES'] ?? 10)
const SERVICES = Number(process.env['SERVICES'] ?? 1_000)
const PAINTS = 10
const HEAP_EVERY_MS = 10_000

const CRIER = `export class Module {
  constructor(kernel) {
    let n = 0
    kernel.every(10, () => { for (let i = 0; i < 10; i++) kernel.events.emit('crier.tick', { n: n++ }) })
  }
}
`

const dashboard = await startDashboard({
  'configs/http.yml': 'prog: services/http\nport: 0\n',
  ...manyServices(SERVICES),
  'configs/crier.yml': '{}\n',
  'modules/crier.ts': CRIER,
})

/** Milliseconds until something of the page is seen, in a context without a cache. */
async function firstPaint(): Promise<number> {
  const page = await dashboard.open()
  const at = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
  )
  await page.context().close()
  return at
}

interface Watched {
  longTasks: number[]
  heaps: number[]
  presses: number[]
}

/** Goes from page to page and sorts, as somebody does who looks for something, for so many minutes. */
async function watch(page: Page): Promise<Watched> {
  const heaps: number[] = []
  const presses: number[] = []
  await page.evaluate(() => {
    const longTasks: number[] = []
    Object.assign(window, { longTasks })
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      entryTypes: ['longtask'],
    })
  })
  const session = await page.context().newCDPSession(page)
  let next = performance.now()
  for (const end = performance.now() + MINUTES * 60_000; performance.now() < end; ) {
    for (const place of ['#/services', '#/now']) {
      const since = performance.now()
      await visit(page, place)
      presses.push(performance.now() - since)
      await page.mouse.wheel(0, 2_000)
      await page.waitForTimeout(1_000)
    }
    if (performance.now() < next) continue
    next += HEAP_EVERY_MS
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    heaps.push(usedSize / 1_048_576)
  }
  const longTasks = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks)
  return { longTasks, heaps, presses }
}

const paints: number[] = []
for (let n = 0; n < PAINTS; n++) paints.push(await firstPaint())
const page = await dashboard.open()
const { longTasks, heaps, presses } = await watch(page)
console.log(`### The dashboard, ${SERVICES} services, 1,000 events/s, ${MINUTES} min (${machine()})\n`)
console.log(
  table(
    ['', 'value'],
    [
      ['first paint, median ms', round(median(paints), 0)],
      [
        'to another page and all of it there, p50 and p99 ms',
        `${round(percentile(presses, 0.5), 0)}, ${round(percentile(presses, 0.99), 0)}`,
      ],
      ['tasks of the page over 50 ms', String(longTasks.length)],
      ['longest task, ms', longTasks.length === 0 ? 'under 50' : round(Math.max(...longTasks), 0)],
      [
        'memory of its scripts, first and last MB',
        `${round(heaps[0] ?? Number.NaN, 1)}, ${round(heaps.at(-1) ?? Number.NaN, 1)}`,
      ],
    ],
  ),
)
await dashboard.close()
process.exit(0)
