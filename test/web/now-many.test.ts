/** 1,000 services: the pages stay light. What is drawn is what can be read, and the page is never held up for long. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { startDashboard, visit, type Dashboard } from '../support/browser.ts'

const COUNT = 1_000
const FOLDERS = ['east', 'north', 'south', 'west']
const files = Object.fromEntries(
  Array.from({ length: COUNT }, (_, n) => [`configs/${FOLDERS[n % 4]}/s${n}.yml`, `api: s${n}\nprog: small\n`]),
)

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard({ ...files, 'modules/small.ts': 'export class Module { one() { return 1 } }\n' })
}, 300_000)
afterAll(() => dashboard.close())

/** Milliseconds of each stretch in which the page could not answer, from here on. */
const watchTasks = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const tasks: number[] = []
    Object.assign(window, { tasks })
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(Math.round(duration))
    }).observe({ type: 'longtask' })
  })

it('the graph shows folders, and of one that is opened the busiest; the list draws what is seen of it', async () => {
  const page = await dashboard.open('#/now')
  const east = page.getByRole('button', { name: /^east\// })
  await east.getByText('250').waitFor()
  expect(await page.locator('.graph-node').count()).toBeLessThan(12)
  await east.click()
  await page.getByText(/more stand in the/).waitFor()
  expect(await page.locator('.graph-node').count()).toBe(40)
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
  await page.getByRole('button', { name: /^east\// }).waitFor()
  await watchTasks(page)
  const readings = (count: number): Promise<unknown> => {
    let seen = 0
    return page.waitForResponse((response) => response.url().endsWith('/api/traffic') && ++seen >= count)
  }
  await readings(3)
  await page.getByRole('button', { name: /^east\// }).click()
  await visit(page, '#/services')
  await page
    .getByRole('region', { name: 'Services' })
    .last()
    .evaluate((box) => box.scrollTo(0, 20_000))
  await readings(2)
  const tasks = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks)
  expect(tasks.filter((ms) => ms > 100)).toEqual([])
  await page.context().close()
})
