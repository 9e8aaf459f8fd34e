/** The dashboard's shell against a real system: signing in, live services, a reload on disk that is seen. */
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PHONE, startDashboard, visit, type Dashboard } from '../support/browser.ts'
import { mm } from '../support/process.ts'
import { freePort } from '../support/ports.ts'

const TICKER = `export class Module {
  tick() { return 1 }
}
`

let dashboard: Dashboard
beforeAll(async () => {
  // The page of a system that starts again looks for it where it was.
  const http = `prog: services/http\nport: ${await freePort()}\n`
  dashboard = await startDashboard({
    'configs/http.yml': http,
    'configs/ticker.yml': 'prog: ticker\n',
    'modules/ticker.ts': TICKER,
  })
})
afterAll(() => dashboard.close())

const row = (page: Page): Locator => page.getByRole('row').filter({ hasText: 'ticker' })

it('the token leaves the address, live services are shown, and a reload on disk changes what is shown', async () => {
  const page = await dashboard.open('#/services')
  expect(page.url()).not.toContain('token')
  await row(page).getByText('g1').waitFor()
  dashboard.root.write('modules/ticker.ts', TICKER.replace('1', '2'))
  await row(page).getByText('g2').waitFor()
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
  await visit(page, '#/services')
  await row(page).waitFor()
  await page.context().close()
})

it('a broken file is named with its line while the version before answers, and the banner goes when it is mended', async () => {
  const page = await dashboard.open()
  const banner = page.getByRole('alert').filter({ hasText: 'modules/ticker.ts:' })
  dashboard.root.write('modules/ticker.ts', TICKER.replace(/}\n$/, ''))
  await banner.getByText(/ticker: modules\/ticker\.ts:\d+/).waitFor()
  await banner.getByText(/g\d+ serves on/).waitFor()
  expect(await dashboard.system.call('ticker', 'tick')).toBe(2)
  dashboard.root.write('modules/ticker.ts', TICKER.replace('1', '3'))
  await banner.waitFor({ state: 'detached' })
  expect(await dashboard.system.call('ticker', 'tick')).toBe(3)
  await page.context().close()
})

it('a freeze stands in the header for as long as it holds', async () => {
  const page = await dashboard.open()
  const { code } = await mm(dashboard.root.path, 'freeze')
  expect(code).toBe(0)
  await page.locator('.header').getByText('frozen: self').waitFor()
  await mm(dashboard.root.path, 'thaw')
  await page.locator('.header').getByText('frozen').waitFor({ state: 'detached' })
  await page.context().close()
})

it('every page freezes the system and thaws it, and says first what that stops', async () => {
  for (const look of [{}, PHONE]) {
    const page = await dashboard.open('#/logs', look)
    const header = page.locator('.header')
    const dialog = page.getByRole('dialog')
    await header.getByRole('button', { name: 'Freeze', exact: true }).click()
    await dialog.getByText('no change of its own is under way').waitFor()
    await dialog.getByLabel('Reason').fill("it's odd")
    await dialog.getByText(String.raw`mm freeze --reason 'it'\''s odd'`, { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Freeze', exact: true }).click()
    await header.getByText('frozen: self').waitFor()
    expect(dashboard.root.read('runtime/FREEZE')).toBe("self\nit's odd\n")
    await header.getByRole('button', { name: 'Thaw', exact: true }).click()
    await dialog.getByText(/What was saved meanwhile/).waitFor()
    await dialog.getByRole('button', { name: 'Thaw', exact: true }).click()
    await header.getByRole('button', { name: 'Freeze', exact: true }).waitFor()
    await page.context().close()
  }
})

it('the theme is the one of the machine until the person says so, and is kept', async () => {
  const page = await dashboard.open('', { theme: 'light' })
  const shown = (): Promise<string | undefined> => page.evaluate(() => document.documentElement.dataset['theme'])
  expect(await shown()).toBe('light')
  await page.getByRole('button', { name: 'Theme: system' }).click()
  expect(await shown()).toBe('dark')
  await page.reload()
  await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
  expect(await shown()).toBe('dark')
  await page.context().close()
})

it('keys go from page to page, but not while something is typed; the first Tab leads past the navigation', async () => {
  const page = await dashboard.open('#/nothing')
  await page.getByText('There is no such page').waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('n')
  await page.getByRole('heading', { level: 1, name: 'Now' }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
  await page.context().close()
})

it('on a phone the navigation opens and closes, by touch and by Escape', async () => {
  const page = await dashboard.open('#/nothing', PHONE)
  const menu = page.getByRole('button', { name: 'Navigation' })
  const pages = page.getByRole('navigation', { name: 'Pages' })
  expect(await pages.isVisible()).toBe(false)
  await menu.click()
  await page.keyboard.press('Escape')
  expect(await pages.isVisible()).toBe(false)
  await menu.click()
  await pages.getByRole('link', { name: 'Now' }).click()
  await page.getByRole('heading', { level: 1, name: 'Now' }).waitFor()
  expect(await pages.isVisible()).toBe(false)
  await page.context().close()
})

it('a system that dies is missed, says since when, and is there again by itself', async () => {
  const page = await dashboard.open('#/services')
  // Rates come a little later than what the row says of the service.
  const known = async (): Promise<string[]> => (await row(page).innerText()).split(/\s+/).slice(0, 3)
  const before = await known()
  expect(before).toEqual(['ticker', 'live', expect.stringMatching(/^g\d+$/)])
  process.kill(dashboard.system.childPid, 'SIGKILL')
  await page.getByRole('alert').getByText('The connection is lost').waitFor()
  // What was known stays to be read.
  expect(await known()).toEqual(before)
  await dashboard.system.restarted(1)
  await page.getByText('The connection is lost').waitFor({ state: 'detached' })
  await page.getByText('the system was started again meanwhile').waitFor()
  await page.getByRole('button', { name: 'Understood' }).click()
  await row(page).getByText('g1').waitFor()
  dashboard.root.write('modules/ticker.ts', TICKER.replace('1', '4'))
  await row(page).getByText('g2').waitFor()
  await page.context().close()
})
