/** 1,000 services, dropped into a system that runs: the pages stay light. What is drawn is what can be read, and the page is never held up for long. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Locator, Page } from 'playwright-core'
import { startDashboard, visit, type Dashboard } from '../support/browser.ts'

const COUNT = 1_000
const START_MS = 300_000
const FOLDERS = ['east', 'north', 'south', 'west']

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard({ 'modules/small.ts': 'export class Module { one() { return 1 } }\n' })
  for (let n = 0; n < COUNT; n++)
    dashboard.root.write(`configs/${FOLDERS[n % FOLDERS.length]}/s${n}.yml`, `api: s${n}\nprog: small\n`)
}, 120_000)
afterAll(() => dashboard.close())

/** The node of a folder, when all services are there and live. */
async function folderOf(page: Page): Promise<Locator> {
  const live = page.locator('.header-state').getByText(/^(\d+) of \1 live$/)
  const east = page.getByRole('button', { name: /^east\// })
  await east.getByText('250', { exact: true }).waitFor({ timeout: START_MS })
  await live.waitFor({ timeout: START_MS })
  return east
}

interface TraceEvent {
  name: string
  pid: number
  tid: number
  /** microseconds of processor time */
  tdur?: number
  args?: { name?: string }
}

/**
 * What the page did while `work` ran: milliseconds of processor time of each of its tasks, the longest first. Not of the
 * clock on the wall: what else the machine does is not the page's.
 */
async function tasksDuring(page: Page, work: () => Promise<void>): Promise<number[]> {
  const browser = page.context().browser()
  await browser?.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] })
  await work()
  const trace = JSON.parse(String(await browser?.stopTracing())) as { traceEvents: TraceEvent[] }
  const threads = trace.traceEvents.filter(
    ({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain',
  )
  const mains = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`))
  const tasks = trace.traceEvents.filter(({ name, pid, tid }) => name.endsWith('RunTask') && mains.has(`${pid} ${tid}`))
  return tasks.map(({ tdur = 0 }) => tdur / 1_000).sort((a, b) => b - a)
}

it('the graph shows folders, and of one that is opened the busiest; the list draws what is seen of it', async () => {
  const page = await dashboard.open('#/now')
  const east = await folderOf(page)
  expect(await page.locator('.now-place').count()).toBeLessThan(12)
  await east.click()
  await page.getByText(/more stand in the/).waitFor()
  expect(await page.locator('.now-place').count()).toBe(40)
  await page.getByRole('button', { name: 'Close east/' }).click()
  await east.waitFor()
  await visit(page, '#/services')
  await page.getByText(/^1,?00\d services$/).waitFor()
  expect(await page.getByRole('row').count()).toBeLessThan(60)
  await page.getByLabel('Find a service').fill('s777')
  await page.getByRole('link', { name: 's777', exact: true }).waitFor()
  await page.context().close()
})

it('going about, with every look at the system, holds the page up for no more than a moment', async () => {
  const page = await dashboard.open('#/now')
  const east = await folderOf(page)
  const readings = (count: number): Promise<unknown> => {
    let seen = 0
    return page.waitForResponse((response) => response.url().endsWith('/api/traffic') && ++seen >= count)
  }
  const tasks = await tasksDuring(page, async () => {
    await readings(2)
    await east.click()
    await readings(1)
    await visit(page, '#/services')
    await page.locator('.table-box').evaluate((box) => box.scrollTo(0, 20_000))
    await readings(2)
  })
  // What was measured is the page at work.
  expect(tasks.length).toBeGreaterThan(100)
  expect(tasks[0]).toBeGreaterThan(1)
  expect(tasks.filter((ms) => ms > 100)).toEqual([])
  await page.context().close()
})
