/** The page Now against a real system: the graph, calls a second, what wants a look, what happened lately. */
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PHONE, startDashboard, type Dashboard } from '../support/browser.ts'

const ADDER = 'export class Module { add(a, b) { return a + b } }\n'
const TICKER = `export class Module {
  count = 0
  constructor(kernel) { this.kernel = kernel; this.adder = kernel.getApi('adder') }
  async run(signal) {
    for (;;) {
      this.count = await this.adder.add(this.count, 1)
      await this.kernel.sleep(20, signal)
    }
  }
  tick() { return this.count }
}
`

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard({
    'configs/history.yml': 'prog: services/history\n',
    'configs/ticker.yml': 'prog: ticker\n',
    'configs/adder.yml': 'prog: adder\n',
    'configs/later.yml': 'prog: later\nneeds: [nobody]\n',
    'modules/later.ts': 'export class Module {}\n',
    'modules/adder.ts': ADDER,
    'modules/ticker.ts': TICKER,
  })
}, 120_000)
afterAll(() => dashboard.close())

const nodeOf = (page: Page, api: string): Locator => page.locator(`.now-place > a[href="#/services/${api}"]`)

it('the graph has each service with its generation, who calls whom, and calls a second', async () => {
  const page = await dashboard.open('#/now')
  const node = nodeOf(page, 'adder')
  await node.getByText('g1').waitFor()
  // The ticker asks the adder some forty times a second.
  await node.getByText(/^[1-9][\d.]*\/s$/).waitFor()
  const link = page.locator('[data-link="ticker → adder"]')
  await page.waitForFunction(
    () => Number(document.querySelector('[data-link="ticker → adder"]')?.getAttribute('data-rate')) > 0,
  )
  expect(await link.getAttribute('class')).toContain('is-busy')
  // Who calls stands above whom it calls.
  const [ticker, adder] = await Promise.all(['ticker', 'adder'].map((api) => nodeOf(page, api).boundingBox()))
  expect(ticker?.y).toBeLessThan(adder?.y ?? 0)
  await node.click()
  await page.getByRole('heading', { name: 'adder' }).waitFor()
  await page.context().close()
})

it('what waits and what is stale wants a look, with the place of the fault, until it is mended', async () => {
  const page = await dashboard.open('#/now', PHONE)
  const looks = page.getByRole('region', { name: 'Wants a look' })
  await looks.getByText('For nobody').waitFor()
  dashboard.root.write('modules/adder.ts', 'export class Module {\n  add(a, b) {\n')
  const stale = looks.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'adder', exact: true }) })
  await stale.getByText('stale', { exact: true }).waitFor()
  await stale.getByText(/modules\/adder\.ts:\d+/).waitFor()
  expect(await dashboard.system.call('adder', 'add', 1, 2)).toBe(3)
  await nodeOf(page, 'adder').getByText('stale').waitFor()
  dashboard.root.write('modules/adder.ts', `${ADDER}// mended\n`)
  await stale.waitFor({ state: 'detached' })
  await page.context().close()
})

it('what happened lately is told as it happens', async () => {
  const page = await dashboard.open('#/now')
  dashboard.root.write('modules/ticker.ts', `${TICKER}// again\n`)
  const lately = page.getByRole('region', { name: 'Lately' })
  await lately.getByText(/ticker g1 → g2: modules\/ticker\.ts/).waitFor()
  await page.context().close()
})
