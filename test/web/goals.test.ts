/**
 * The page of goals and rules on a real system: a cycle that is run from it, a rule that is built, tried on snapshots,
 * written into the config by a person's change, fires, and is taken out again.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startDashboard, visit, type Dashboard } from '../support/browser.ts'
import { productRoot } from '../support/product.ts'

const CONFIG = 'configs/control/meta-loop.yml'

let dashboard: Dashboard
let before: string
beforeAll(async () => {
  const root = productRoot()
  // Cycles one after the other, and no pause of people either.
  root.write(
    CONFIG,
    root.read(CONFIG).replace('min_interval_between_cycles_seconds: 180', 'min_interval_between_cycles_seconds: 0'),
  )
  before = root.read(CONFIG)
  dashboard = await startDashboard(root)
  for (let n = 0; n < 20; n++) await dashboard.system.call('ticker', 'tick')
}, 120_000)
afterAll(() => dashboard.close())

async function confirm(page: Page, label: string, command: RegExp): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.getByText(command).waitFor()
  await dialog.getByRole('button', { name: label, exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

it('before the first snapshot every part says so, and a cycle that is run from the page fills them', async () => {
  const page = await dashboard.open('#/goals')
  await page.getByText('no cycle yet').first().waitFor()
  await page.getByRole('tab', { name: 'Findings' }).click()
  await page.getByText('No snapshot was taken yet').waitFor()
  await page.getByRole('tab', { name: 'Goals', exact: true }).click()
  await page.getByRole('button', { name: 'Run a cycle' }).click()
  await page.getByRole('dialog').getByText('none yet').waitFor()
  await confirm(page, 'Run a cycle', /^mm meta trigger$/)
  await page.getByText(/cycle 1 \(manual\) completed/).waitFor()
  await page.getByText('threshold 85 %').waitFor()
  await page.getByRole('row').filter({ hasText: 'stability.success_rate' }).getByText('reached').waitFor()
  await visit(page, '#/goals?tab=cycles')
  await page.getByText('cycle 1', { exact: true }).waitFor()
  await page.context().close()
})

it('a rule is tried on the snapshots there are, its text is shown first, and it fires in the next cycle', async () => {
  const { system, root } = dashboard
  const page = await dashboard.open('#/goals?tab=build')
  const save = page.getByRole('button', { name: 'Save the rule' })
  expect(await save.isDisabled()).toBe(true)
  await page.getByLabel('Name').fill('Too Many')
  await page.getByText('Small letters, digits and _').waitFor()
  await page.getByLabel('Name').fill('too_many')
  await page.getByLabel('Metric').selectOption('stability.service_count')
  await page.getByLabel('Is', { exact: true }).selectOption('gt')
  await page.getByLabel('Threshold').fill('1000')
  await page.getByText(/would have fired in 0 of \d+/).waitFor()
  await page.getByLabel('Threshold').fill('3')
  await page.getByText(/would have fired in [1-9]\d* of \d+/).waitFor()
  await page.locator('.uplot canvas').waitFor()
  await page.getByRole('button', { name: 'Another condition' }).click()
  await page.getByLabel('Metric').nth(1).selectOption('stability.queue_depth')
  await page.getByLabel('Threshold').nth(1).fill('1000')
  await page.getByText(/would have fired in [1-9]\d* of \d+/).waitFor()

  await save.click()
  await page.getByRole('dialog').getByText('- name: too_many').waitFor()
  expect(root.read(CONFIG)).toBe(before)
  await confirm(page, 'Save the rule', /^mm meta set-rule /)
  await page.getByText(/rule too_many: c\d+ /).waitFor()
  expect(root.read(CONFIG).startsWith(before)).toBe(true)
  const rule = page.getByRole('listitem').filter({ hasText: 'too_many' }).first()
  await rule.getByText('fires', { exact: true }).waitFor()
  await rule.getByText(/stability\.service_count is \d+, above 3/).waitFor()

  await system.call('meta-loop', 'trigger', { trigger: 'manual' })
  await visit(page, '#/goals?tab=findings')
  await page.getByText(/stability\.service_count is \d+, above 3/).waitFor()
  await page.context().close()
})

it('a rule of your own is changed and taken out, and the config is as it was', async () => {
  const page = await dashboard.open('#/goals?tab=rules')
  await page.getByRole('link', { name: 'Change too_many' }).click()
  await page.getByLabel('Threshold').first().fill('1000')
  await page.getByRole('button', { name: 'Save the rule' }).click()
  await page.getByRole('dialog').getByText('threshold: 1000').first().waitFor()
  await confirm(page, 'Save the rule', /^mm meta set-rule /)
  const rule = page.getByRole('listitem').filter({ hasText: 'too_many' }).first()
  await rule.getByText('does not hold').waitFor()
  await page.getByRole('button', { name: 'Remove too_many' }).click()
  await confirm(page, 'Remove too_many', /^mm meta remove-rule too_many$/)
  await page.getByText(/without rule too_many: c\d+ /).waitFor()
  await rule.waitFor({ state: 'detached' })
  await expect.poll(() => dashboard.root.read(CONFIG)).toBe(before)
  await page.context().close()
})

it('a signal waits and is read, and who was away is told what happened', async () => {
  const page = await dashboard.open('#/goals?tab=cycles')
  await page.getByLabel('Source').fill('probe')
  await page.getByLabel('What it says').fill('half of it')
  await page.getByRole('button', { name: 'Send' }).click()
  await confirm(page, 'Send', /^mm meta signal probe 'half of it' --priority normal$/)
  await page.getByText('{"raw":"half of it"}').waitFor()
  await page.getByRole('button', { name: 'I am away' }).click()
  await confirm(page, 'I am away', /^mm meta away on$/)
  await page.getByRole('button', { name: 'Run a cycle' }).click()
  await confirm(page, 'Run a cycle', /^mm meta trigger$/)
  await page.getByText('None waits').waitFor()
  await page.getByRole('button', { name: 'I am back' }).click()
  await confirm(page, 'I am back', /^mm meta away off$/)
  await page.getByText(/^1 cycles/).waitFor()
  await page.getByRole('button', { name: 'I am away' }).waitFor()
  await page.context().close()
})
