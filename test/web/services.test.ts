/** One service on the page, against a real system: its texts, versions, contract and powers, and what can be done with it. */
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PHONE, startDashboard, visit, type Dashboard } from '../support/browser.ts'

const TICKER = `export class Module {
  count = 0
  tick() { this.count += 1; return this.count }
  run(signal) { return new Promise((resolve) => signal.addEventListener('abort', resolve)) }
  handOver() { return this.count }
  takeOver(count) { this.count = count }
}
`
const BOXED = `export class Module {
  constructor(kernel) { this.kernel = kernel }
  sum() { return this.kernel.getApi('adder').add(1, 2) }
  spin() { for (;;); }
  pry(name) { return this.kernel.getApi(name).tick() }
}
`
const BY_TWO = TICKER.replace('+= 1', '+= 2')

let dashboard: Dashboard
beforeAll(async () => {
  dashboard = await startDashboard({
    'configs/history.yml': 'prog: services/history\n',
    'configs/traces.yml': 'prog: services/traces\n',
    'configs/ticker.yml': 'prog: ticker\napi_key: planted-secret-4411\nstep: 3\n',
    'configs/adder.yml': 'prog: adder\n',
    'configs/boxed.yml': 'prog: boxed\nsandbox: {cpu_ms: 200}\ngrants: [adder.add, adder.never]\n',
    'modules/ticker.ts': TICKER,
    'modules/adder.ts': 'export class Module { add(a, b) { return a + b } never() {} }\n',
    'modules/boxed.ts': BOXED,
  })
}, 120_000)
afterAll(() => dashboard.close())

const act = async (page: Page, label: string): Promise<Locator> => {
  await page.getByRole('button', { name: label, exact: true }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Serves now').waitFor()
  return dialog
}
const confirm = (dialog: Locator, label: string): Promise<void> =>
  dialog.getByRole('button', { name: label, exact: true }).click()

it('a change on disk is compared with the version before; a rollback shows what it changes, and serves it again', async () => {
  const { root, system } = dashboard
  const page = await dashboard.open('#/services/ticker?tab=versions')
  await page.getByText('ticker started as g1').waitFor()
  root.write('modules/ticker.ts', BY_TWO)
  await page.getByText('put in: ').first().waitFor({ state: 'attached' })
  await page.locator('.code-line.is-in').filter({ hasText: '+= 2' }).waitFor()
  const before = (await system.call('ticker', 'tick')) as number
  const dialog = await act(page, 'Roll back')
  await dialog.locator('.code-line.is-in').filter({ hasText: '+= 1' }).waitFor()
  await dialog.getByText('mm rollback ticker').waitFor()
  await confirm(dialog, 'Roll back')
  await page.getByText(/ticker rolled back: g2 → g3, \d+ ms, 0 failed, state carried/).waitFor()
  expect(await system.call('ticker', 'tick')).toBe(before + 1)
  // The disk stays ahead of what runs, and that is said.
  expect(root.read('modules/ticker.ts')).toBe(BY_TWO)
  await page.locator('main').getByText('stale', { exact: true }).waitFor()
  const undo = await act(page, 'Undo')
  await undo.locator('.code-line.is-out').filter({ hasText: '+= 2' }).waitFor()
  await confirm(undo, 'Undo')
  await expect.poll(() => root.read('modules/ticker.ts')).toBe(TICKER)
  await page.locator('main').getByText('stale', { exact: true }).waitFor({ state: 'detached' })
  await page.context().close()
})

it('a reload is asked for on a phone, and what cannot be done says why', async () => {
  const page = await dashboard.open('#/services/adder', PHONE)
  const dialog = await act(page, 'Reload')
  await confirm(dialog, 'Reload')
  await page.getByText(/adder reloaded: g1 → g2, \d+ ms, 0 failed/).waitFor()
  expect(await page.getByRole('button', { name: 'Release' }).count()).toBe(0)
  const undo = await act(page, 'Undo')
  await confirm(undo, 'Undo')
  await undo.getByText('nothing_to_undo').waitFor()
  await page.context().close()
})

it('source and config are as they run, without secrets; contract and what it owns are listed', async () => {
  const page = await dashboard.open('#/services/ticker?tab=source')
  await page.getByLabel('modules/ticker.ts', { exact: true }).getByText('takeOver(count)').waitFor()
  await page.getByLabel('File').selectOption('configs/ticker.yml')
  await page.getByLabel('configs/ticker.yml', { exact: true }).getByText('api_key: [redacted]').waitFor()
  await page.getByRole('row').filter({ hasText: 'step' }).getByText('3', { exact: true }).waitFor()
  await visit(page, '#/services/ticker?tab=contract')
  await page.getByRole('row').filter({ hasText: 'tick' }).getByText('mm call ticker.tick').waitFor()
  await visit(page, '#/services/ticker?tab=owned')
  await page.locator('.services-tree').getByText('run()').first().waitFor()
  await page.context().close()
})

it('a sandboxed service shows what it used, what it holds for nothing, and what it was refused', async () => {
  const { system } = dashboard
  expect(await system.call('boxed', 'sum')).toBe(3)
  await system.call('boxed', 'pry', 'ticker').catch(() => undefined)
  const page = await dashboard.open('#/services/boxed?tab=powers')
  const row = (power: string): Locator => page.getByRole('row').filter({ hasText: power })
  await row('adder.add').getByText('used', { exact: true }).waitFor()
  await row('adder.never').getByText('granted, never used').waitFor()
  await row('ticker.tick').getByText('refused').waitFor()
  await visit(page, '#/services/ticker?tab=powers')
  await page.getByText('It has every power').waitFor()
  await page.context().close()
})

it('a module that broke its limits too often is in quarantine until somebody releases it', async () => {
  const { system } = dashboard
  const page = await dashboard.open('#/services/boxed')
  // Between two of them it starts again.
  const spun = async (): Promise<string> => {
    await system.call('boxed', 'spin').catch(() => undefined)
    return (await system.api<{ state: string }>('GET', '/api/services/boxed')).body.state
  }
  await expect.poll(spun, { timeout: 60_000, interval: 500 }).toBe('quarantined')
  await page.locator('main').getByText('quarantined', { exact: true }).waitFor()
  await visit(page, '#/now')
  await page.getByRole('region', { name: 'Wants a look' }).getByText('quarantined').waitFor()
  await visit(page, '#/services/boxed')
  await page.getByRole('button', { name: 'Release' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('It leaves its quarantine and starts.').waitFor()
  await dialog.getByText('mm release boxed').waitFor()
  await confirm(dialog, 'Release')
  await page.getByText(/boxed released: g\d+/).waitFor()
  expect(await system.call('boxed', 'sum')).toBe(3)
  await page.context().close()
})

it('calls are drawn as they come, and failed requests are found', async () => {
  const { system } = dashboard
  const page = await dashboard.open('#/services/adder?tab=calls')
  await system.call('adder', 'add', 1, 2)
  await page.getByRole('figure', { name: 'Calls and errors a second' }).waitFor()
  await page.getByRole('row').filter({ hasText: 'http → adder.add' }).first().waitFor()
  await page.getByLabel('Only those that failed').check()
  await page.getByText('None failed').waitFor()
  await page.context().close()
})

it('a service that is not there is an answer, with a way on', async () => {
  const page = await dashboard.open('#/services/nobody')
  await page.getByText('service_not_found').waitFor()
  await page.getByRole('link', { name: 'All services' }).click()
  await page.getByRole('link', { name: 'ticker' }).waitFor()
  await page.context().close()
})
