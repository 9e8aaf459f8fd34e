/** The dashboard's shell against a real system: signing in, live services, a reload on disk that is seen. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startDashboard, type Dashboard } from '../support/browser.ts'

const TICKER = `export class Module { tick() { return 1 } }\n`

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard({ 'configs/ticker.yml': 'prog: ticker\n', 'modules/ticker.ts': TICKER })
})
afterAll(() => dashboard.close())

it('the token leaves the address, live services are shown, and a reload on disk changes what is shown', async () => {
  const page = await dashboard.open()
  expect(page.url()).not.toContain('token')
  const row = page.getByRole('row').filter({ hasText: 'ticker' })
  await row.getByText('g1').waitFor()
  dashboard.root.write('modules/ticker.ts', TICKER.replace('1', '2'))
  await row.getByText('g2').waitFor()
  await page.getByText(/ticker g1 → g2, \d+ ms, 0 failed, state \w+/).waitFor()
  expect(await dashboard.system.call('ticker', 'tick')).toBe(2)
  await page.context().close()
})

it('without a token the page asks for one, and says so again when it is not taken', async () => {
  const page = await dashboard.open()
  await page.evaluate(() => sessionStorage.clear())
  await page.reload()
  await page.getByLabel('Token').fill('not a token')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByText('This token is not taken').waitFor()
  await page.getByLabel('Token').fill(dashboard.system.token)
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByRole('row').filter({ hasText: 'ticker' }).waitFor()
  await page.context().close()
})
